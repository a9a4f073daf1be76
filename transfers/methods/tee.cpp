// SPDX-License-Identifier: MIT
// tee duplicates what a pipe holds into a second one: one read of the source, two sinks.
#include <fcntl.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

// Delivers the `bytes` that the first pipe holds to both sinks.
Failure deliver(const Transfer& job, const Workspace& workspace, std::uint64_t bytes,
                std::uint64_t& moved) {
  while (bytes > 0) {
    const ssize_t n = restarted([&] {
      return ::tee(workspace.pipe.reader.get(), workspace.second_pipe.writer.get(), bytes, 0);
    });
    if (n < 0) return last_error("tee");
    if (n == 0) return {EIO, "tee"};
    const auto teed = static_cast<std::uint64_t>(n);
    std::uint64_t to_first = 0;
    std::uint64_t to_second = 0;
    Failure error = splice_out(workspace.pipe, job.out_fd, teed, to_first);
    if (!error) error = splice_out(workspace.second_pipe, job.second_out_fd, teed, to_second);
    moved += to_second;
    if (error) return error;
    bytes -= teed;
  }
  return {};
}

Moved move(const Transfer& job, Workspace& workspace) {
  const std::uint64_t chunk_bytes = std::min(job.buffer_bytes, workspace.pipe_bytes);
  Moved moved;
  // Reads until the end of the file, as read_write does. Both pipes are empty before each chunk.
  while (!moved.error) {
    const ssize_t n = restarted([&] {
      return ::splice(job.in_fd, nullptr, workspace.pipe.writer.get(), nullptr, chunk_bytes, 0);
    });
    if (n < 0) moved.error = last_error("splice from the source");
    if (n <= 0 || moved.bytes == job.length) break;
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    moved.error = deliver(job, workspace, chunk, moved.bytes);
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const PipeChunks chunks = pipe_chunks(workload);
  return {chunks.calls("splice", 3, 1), chunks.calls("tee", 1, 0)};
}

}  // namespace

extern const Method kTee;
constinit const Method kTee = {
    .name = "tee",
    .summary = "splice in once, tee, splice out to two sinks",
    .needs = {.second_sink = true, .pipe = Provision::in_prepare},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
