// SPDX-License-Identifier: MIT
// send straight from a mapping of the source; sockets only.
#include <sys/socket.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

Moved move(const Transfer& job, Workspace& workspace) {
  Moved moved;
  moved.error = map_source(job, workspace);
  while (!moved.error && moved.bytes < workspace.mapping.bytes()) {
    const std::byte* const from = workspace.mapping.begin() + moved.bytes;
    const std::uint64_t chunk = std::min(job.buffer_bytes, workspace.mapping.bytes() - moved.bytes);
    moved.error =
        complete("sendto", chunk, moved.bytes, [&](std::uint64_t done, std::uint64_t left) {
          return ::send(job.out_fd, from + done, left, MSG_NOSIGNAL);
        });
  }
  workspace.mapping.reset();
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t chunks =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  const std::uint64_t mappings = workload.bytes > 0;
  return {{"mmap", mappings, mappings}, {"sendto", chunks, chunks}, {"munmap", mappings, mappings}};
}

}  // namespace

extern const Method kMmapSend;
constinit const Method kMmapSend = {
    .name = "mmap_send",
    .summary = "send from a mapping of the source",
    .needs = {.sinks = kSocketSinks, .mapping = Provision::in_move},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
