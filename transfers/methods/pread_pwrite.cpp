// SPDX-License-Identifier: MIT
// pread64 and pwrite64 at explicit offsets: what databases and copy tools do to files.
#include <unistd.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

Moved move(const Transfer& job, Workspace& workspace) {
  std::byte* const buffer = workspace.buffer.begin();
  Moved moved;
  // Reads until the end of the file, as read_write does.
  for (;;) {
    const auto offset = static_cast<off_t>(moved.bytes);
    const ssize_t n =
        restarted([&] { return ::pread(job.in_fd, buffer, job.buffer_bytes, offset); });
    if (n < 0) moved.error = last_error("pread64");
    if (n <= 0 || moved.bytes == job.length) break;
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    moved.error =
        complete("pwrite64", chunk, moved.bytes, [&](std::uint64_t done, std::uint64_t left) {
          return ::pwrite(job.out_fd, buffer + done, left, offset + static_cast<off_t>(done));
        });
    if (moved.error) break;
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t chunks =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  return {{"pread64", chunks + 1, chunks + 1}, {"pwrite64", chunks, chunks}};
}

}  // namespace

extern const Method kPreadPwrite;
constinit const Method kPreadPwrite = {
    .name = "pread_pwrite",
    .summary = "pread and pwrite at explicit offsets",
    .needs = {.sinks = kFileSinks | sink_bit(SinkKind::null), .buffers = 1},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
