// SPDX-License-Identifier: MIT
// The reader at the other end of a socket or pipe. It is a process of its own, so that its
// CPU time is not the sender's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/os/child.h"
#include "collector/os/descriptor.h"
#include "collector/os/wakeup.h"
#include "transfers/shared_record.h"

namespace zctrace::transfers {

struct DrainOptions {
  std::uint64_t read_bytes = 64ULL * 1024;  // requested by each read; at least 1
  bool splice = false;                      // to /dev/null instead of reading; gives no checksum
  bool checksum = false;                    // costs CPU time: only in runs that verify
  bool accept = false;  // `in` is a socket that listens: the first connection is drained
};

// What a drain has received once its sender has closed the other end.
struct Drained {
  std::uint64_t bytes = 0;
  std::uint64_t first_received_ns = 0;  // CLOCK_MONOTONIC; 0: nothing arrived
  std::uint64_t all_received_ns = 0;    // when `expected_bytes` had arrived, else at the end
  std::optional<std::uint32_t> crc32{};
  std::string failure{};  // "" or why it ended early
};

// Owns the draining process. It reads until end of file, and dies with the thread that forked it.
class Drain {
 public:
  // Reads `in` until its end. The caller must close its own copy of `in` afterwards;
  // otherwise the sender never notices that a drain has died. Throws Error.
  Drain(const Descriptor& in, const DrainOptions& options, std::uint64_t expected_bytes);

  pid_t pid() const { return child_.pid(); }

  // Waits for the end of file; every copy of the sending end must be closed. With `accept`, no
  // connection may begin any more.
  Drained wait();

 private:
  struct Record {
    std::uint64_t bytes;
    std::uint64_t first_received_ns;
    std::uint64_t all_received_ns;
    std::uint32_t crc32;
    int error_number;
    bool has_crc32;
    bool ended;
  };
  static std::vector<int> kept(const Descriptor& in, const std::optional<Wakeup>& last_call);
  static void receive(int in_fd, const DrainOptions& options, std::uint64_t expected_bytes,
                      Record& record);

  SharedRecord<Record> record_;
  std::optional<Wakeup> last_call_;  // closed when no connection begins any more
  Child child_;
};

}  // namespace zctrace::transfers
