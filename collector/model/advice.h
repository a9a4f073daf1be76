// SPDX-License-Identifier: MIT
// What a process could do to move its bytes with less work. Pure values. Times are nanoseconds,
// sizes bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/channels.h"
#include "collector/model/copies.h"

namespace zctrace {

enum class AdviceKind : std::uint8_t {
  relay,            // bytes are read and written again unchanged
  small_buffer,     // many calls move few bytes each
  fallback,         // copy_file_range or splice failed, and read and write did it instead
  direct_fallback,  // O_DIRECT was asked for, and the bytes went through the page cache
  zerocopy_copied,  // MSG_ZEROCOPY or SEND_ZC, and the kernel copied anyway
  tls_software,     // sendfile on a TLS socket that a processor encrypts
  blocked,          // a send inside the kernel waits for the reader
};

// As in JSON: "relay", "small_buffer".
std::string_view advice_kind_name(AdviceKind kind);

// One end of the bytes that an advice is about.
struct AdviceEnd {
  Kind kind{};
  Protocol protocol = Protocol::none;
  ChannelId channel;           // of the only one
  std::string name;            // its path, addresses or pipe; "": not known, or more than one
  std::uint64_t channels = 0;  // how many files, pipes or sockets; 0: not known
};

// What following an advice would have saved of what was observed. Negative: it would have cost
// that much more.
struct Savings {
  std::int64_t syscalls = 0;       // with calls that move as much as those of today
  std::int64_t syscalls_most = 0;  // with calls that move as much as the kernel allows
  std::uint64_t cpu_copied_bytes = 0;
  std::optional<std::int64_t> cpu_ns;  // nullopt: not measured
  std::string basis;                   // where these figures come from, in words
};

// Processes with the same name that do the same share an advice.
struct Advice {
  std::vector<std::int64_t> pids;  // the one with the most bytes first; empty: not listed
  std::string process;
  AdviceKind kind{};
  AdviceEnd from;
  AdviceEnd to;
  std::vector<std::string> via;  // the calls that do it now
  std::uint64_t bytes = 0;
  std::optional<double> share_of_delivered;  // nullopt: the process delivered nothing
  std::string instead;                       // "sendfile"; "": nothing
  bool legal = false;                        // for these two ends
  std::string why;                           // one sentence
  Savings saves;
  std::string sentence;                    // the advice in words
  std::optional<std::uint64_t> waited_ns;  // of `blocked`: off the CPU in these calls
  std::vector<std::string> stack;          // the program's innermost functions; empty: not known
};

}  // namespace zctrace
