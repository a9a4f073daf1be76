// SPDX-License-Identifier: MIT
// vmsplice lends the pages of a mapping to a pipe, splice moves them into the sink.
#include <fcntl.h>
#include <sys/uio.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

Moved move(const Transfer& job, Workspace& workspace) {
  const std::uint64_t chunk_bytes = std::min(job.buffer_bytes, workspace.pipe_bytes);
  Moved moved;
  while (!moved.error && moved.bytes < workspace.mapping.bytes()) {
    iovec part = {workspace.mapping.begin() + moved.bytes,
                  std::min(chunk_bytes, workspace.mapping.bytes() - moved.bytes)};
    // No SPLICE_F_GIFT: only pages that the caller owns may be given away, not a file's.
    const ssize_t n =
        restarted([&] { return ::vmsplice(workspace.pipe.writer.get(), &part, 1, 0); });
    if (n < 0) moved.error = last_error("vmsplice");
    if (n <= 0) break;
    moved.error =
        splice_out(workspace.pipe, job.out_fd, static_cast<std::uint64_t>(n), moved.bytes);
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const PipeChunks chunks = pipe_chunks(workload);
  return {chunks.calls("vmsplice", 1, 0), chunks.calls("splice", 1, 0)};
}

}  // namespace

extern const Method kVmsplice;
constinit const Method kVmsplice = {
    .name = "vmsplice",
    .summary = "vmsplice a mapping into a pipe, splice it on",
    .needs = {.pipe = Provision::in_prepare, .mapping = Provision::in_prepare},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
