// SPDX-License-Identifier: MIT
// read into a buffer, write from it: what cat and most programs do.
#include <unistd.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

Moved move(const Transfer& job, Workspace& workspace) {
  std::byte* const buffer = workspace.buffer.begin();
  Moved moved;
  // Reads until read returns 0, even after the last byte: finding the end is part of what
  // this method costs.
  for (;;) {
    const ssize_t n = restarted([&] { return ::read(job.in_fd, buffer, job.buffer_bytes); });
    if (n < 0) moved.error = last_error("read");
    if (n <= 0 || moved.bytes == job.length) break;
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    moved.error =
        complete("write", chunk, moved.bytes, [&](std::uint64_t done, std::uint64_t left) {
          return ::write(job.out_fd, buffer + done, left);
        });
    if (moved.error) break;
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t chunks =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  return {{"read", chunks + 1, chunks + 1}, {"write", chunks, chunks}};
}

}  // namespace

extern const Method kReadWrite;
constinit const Method kReadWrite = {
    .name = "read_write",
    .summary = "read into a buffer and write from it",
    .needs = {.buffers = 1},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
