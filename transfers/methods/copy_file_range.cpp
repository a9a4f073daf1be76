// SPDX-License-Identifier: MIT
// copy_file_range: file to file inside the kernel, or by the file system itself.
#include <unistd.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

Moved move(const Transfer& job, Workspace&) {
  Moved moved;
  while (moved.bytes < job.length) {
    const std::uint64_t chunk = std::min(job.buffer_bytes, job.length - moved.bytes);
    const ssize_t n = restarted(
        [&] { return ::copy_file_range(job.in_fd, nullptr, job.out_fd, nullptr, chunk, 0); });
    if (n < 0) moved.error = last_error("copy_file_range");
    if (n <= 0) break;  // 0: the source ended early; the caller compares bytes
    moved.bytes += static_cast<std::uint64_t>(n);
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t calls =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  return {{"copy_file_range", calls, calls}};
}

}  // namespace

extern const Method kCopyFileRange;
constinit const Method kCopyFileRange = {
    .name = "copy_file_range",
    .summary = "copy_file_range within one file system",
    .needs = {.sinks = sink_bit(SinkKind::file)},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
