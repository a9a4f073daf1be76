// SPDX-License-Identifier: MIT
// sendfile: page cache to sink inside the kernel.
#include <sys/sendfile.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

Moved move(const Transfer& job, Workspace&) {
  Moved moved;
  while (moved.bytes < job.length) {
    const std::uint64_t chunk = std::min(job.buffer_bytes, job.length - moved.bytes);
    const ssize_t n = restarted([&] { return ::sendfile(job.out_fd, job.in_fd, nullptr, chunk); });
    if (n < 0) moved.error = last_error("sendfile");
    if (n <= 0) break;  // 0: the source ended early; the caller compares bytes
    moved.bytes += static_cast<std::uint64_t>(n);
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t calls =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  // A pipe takes at most what it has space for, without waiting (Linux 5.12).
  return {{"sendfile", calls, workload.sink == SinkKind::pipe ? kUnbounded : calls}};
}

}  // namespace

extern const Method kSendfile;
constinit const Method kSendfile = {
    .name = "sendfile",
    .summary = "sendfile from the page cache to the sink",
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
