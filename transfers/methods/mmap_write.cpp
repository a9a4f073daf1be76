// SPDX-License-Identifier: MIT
// write straight from a mapping of the source: one copy, by the kernel.
#include <unistd.h>

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
    // /dev/null takes any length without looking at a page, so its time means nothing.
    moved.error =
        complete("write", chunk, moved.bytes, [&](std::uint64_t done, std::uint64_t left) {
          return ::write(job.out_fd, from + done, left);
        });
  }
  workspace.mapping.reset();
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t chunks =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  const std::uint64_t mappings = workload.bytes > 0;
  return {{"mmap", mappings, mappings}, {"write", chunks, chunks}, {"munmap", mappings, mappings}};
}

}  // namespace

extern const Method kMmapWrite;
constinit const Method kMmapWrite = {
    .name = "mmap_write",
    .summary = "write from a mapping of the source",
    .needs = {.mapping = Provision::in_move},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
