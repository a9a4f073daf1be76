// SPDX-License-Identifier: MIT
// splice from the file into a pipe and from the pipe into the sink: pages, not bytes.
#include <fcntl.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

Moved move(const Transfer& job, Workspace& workspace) {
  Moved moved;
  moved.error = open_intermediate_pipe(workspace.pipe, workspace.pipe_bytes);
  const std::uint64_t chunk_bytes = std::min(job.buffer_bytes, workspace.pipe_bytes);
  // Reads until the end of the file, as read_write does. The pipe is empty before each splice in.
  while (!moved.error) {
    const ssize_t n = restarted([&] {
      return ::splice(job.in_fd, nullptr, workspace.pipe.writer.get(), nullptr, chunk_bytes, 0);
    });
    if (n < 0) moved.error = last_error("splice from the source");
    if (n <= 0 || moved.bytes == job.length) break;
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    moved.error = splice_out(workspace.pipe, job.out_fd, chunk, moved.bytes);
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t capacity =
      workload.pipe_bytes ? workload.pipe_bytes : pipe_bytes_for(workload.buffer_bytes);
  const std::uint64_t resized = capacity != default_pipe_bytes();
  return {
      {"pipe2", 1, 1}, {"fcntl", resized, resized}, pipe_chunks(workload).calls("splice", 2, 1)};
}

}  // namespace

extern const Method kSplice;
constinit const Method kSplice = {
    .name = "splice",
    .summary = "splice through a pipe",
    .needs = {.pipe = Provision::in_move},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
