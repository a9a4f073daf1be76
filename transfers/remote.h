// SPDX-License-Identifier: MIT
// A reader on another machine: `zctrace drain`, or any program that listens and reads.
//
// A drain takes one connection at a time and reads it to its end. Then it answers with one line:
//   zctrace-drain/1 transfers=3 bytes=1048576 crc32=1a2b3c4d ns=12345678
// about the last connection that sent anything, and closes. So a connection that sends nothing asks
// about the one before, and a program that never reads need not know that it talks to a drain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collector/os/descriptor.h"

namespace zctrace::transfers {

struct RemoteAddress {
  std::string host;  // a name or an address
  std::string port;

  std::string text() const;  // "host:9000", "[::1]:9000"
};

// "HOST:PORT" or "[ADDRESS]:PORT"; nullopt for anything else.
std::optional<RemoteAddress> parse_remote(std::string_view text);

// What a drain says of its last transfer.
struct DrainAnswer {
  std::uint64_t transfers = 0;  // since it began
  std::uint64_t bytes = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t ns = 0;  // from the first byte to the last
};
std::string answer_line(const DrainAnswer& answer);
std::optional<DrainAnswer> parse_answer(std::string_view line);

// A connected, blocking socket. Tries again for a moment while the connection is refused, because a
// reader may start anew for each. Throws SetupError.
Descriptor connect_to(const RemoteAddress& address);

// Asks the reader, which is busy until it has all that was sent before. nullopt: it does not answer
// as a drain does within `patience_ms`, or `stop_fd` became readable. Throws SetupError.
std::optional<DrainAnswer> ask_drain(const RemoteAddress& address, int patience_ms, int stop_fd);

// The reader of all runs of a comparison. One thread.
class RemoteReader {
 public:
  explicit RemoteReader(RemoteAddress address) : address_(std::move(address)) {}

  const RemoteAddress& address() const { return address_; }
  // Connects, and finds out whether it is a drain. Throws SetupError.
  void meet(int stop_fd);
  bool is_drain() const { return drain_; }

  // What the drain received since meet() or the last take(): `transfers` of them, and the bytes and
  // the checksum of the last; without any, no bytes. nullopt: it does not answer any more.
  std::optional<DrainAnswer> take(int stop_fd);

 private:
  RemoteAddress address_;
  bool drain_ = false;
  std::uint64_t transfers_ = 0;  // that it has told of
};

}  // namespace zctrace::transfers
