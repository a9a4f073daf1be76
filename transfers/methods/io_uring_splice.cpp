// SPDX-License-Identifier: MIT
// splice by io_uring, through a pipe. The kernel hands every one to an iou-wrk thread.
#include "transfers/methods/io_loop.h"
#include "transfers/methods/uring.h"

namespace zctrace::transfers {
namespace {

ssize_t splice_by_ring(Ring& ring, int in_fd, int out_fd, std::uint64_t bytes) {
  ::io_uring_prep_splice(ring.next_entry(), in_fd, -1, out_fd, -1, static_cast<unsigned>(bytes), 0);
  return ring.run_one();
}

Moved move(const Transfer& job, Workspace& workspace) {
  Ring& ring = ring_of(workspace);
  const Pipe& pipe = workspace.pipe;
  const std::uint64_t chunk_bytes = std::min(job.buffer_bytes, workspace.pipe_bytes);
  Moved moved;
  // Reads until the end of the file, as splice does. The pipe is empty before each splice in.
  while (!moved.error) {
    const ssize_t n =
        restarted([&] { return splice_by_ring(ring, job.in_fd, pipe.writer.get(), chunk_bytes); });
    if (n < 0) moved.error = last_error("io_uring splice from the source");
    if (n <= 0 || moved.bytes == job.length) break;
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    moved.error = complete("io_uring splice to the sink", chunk, moved.bytes,
                           [&](std::uint64_t, std::uint64_t left) {
                             return splice_by_ring(ring, pipe.reader.get(), job.out_fd, left);
                           });
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const PipeChunks chunks = pipe_chunks(workload);
  return {chunks.calls("io_uring:splice", 2, 1), chunks.calls("io_uring_enter", 2, 1)};
}

}  // namespace

extern const Method kIoUringSplice;
constinit const Method kIoUringSplice = {
    .name = "io_uring_splice",
    .summary = "io_uring splice through a pipe",
    .needs = {.pipe = Provision::in_prepare},
    .prepare = prepare_ring,
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
