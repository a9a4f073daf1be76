// SPDX-License-Identifier: MIT
// Bytes that a process only passed on: read into memory and written again unchanged. Pure values.
// Sizes are bytes.
#pragma once

#include <cstdint>
#include <string>

#include "collector/model/channels.h"
#include "collector/model/copies.h"

namespace zctrace {

// What one process passed on from one channel to another by one pair of calls. A lower bound: what
// is not recognized is not counted. Only with ProbeOptions::relays.
struct Relay {
  struct End {
    std::string syscall;  // "pread64", "writev"
    Kind kind{};
    Protocol protocol = Protocol::none;
    ChannelId channel;

    auto operator<=>(const End&) const = default;
  };
  End from;
  End to;
  std::uint64_t bytes = 0;
  std::uint64_t reads = 0;   // calls whose bytes were passed on, in whole or in part
  std::uint64_t writes = 0;  // calls that passed bytes on
  bool appends = false;      // the sink is open with O_APPEND, which no call in the kernel accepts
};

}  // namespace zctrace
