// SPDX-License-Identifier: MIT
// FICLONE shares the extents of the source: no byte moves until one side is written.
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

Failure prepare(const Transfer& job, Workspace&) {
  struct stat status {};
  if (::fstat(job.in_fd, &status) != 0) return last_error("fstat of the source");
  const bool partial = static_cast<std::uint64_t>(status.st_size) > job.length;
  return partial ? Failure{EINVAL, "FICLONE of a part of a file"} : Failure{};
}

Moved move(const Transfer& job, Workspace& workspace) {
  Moved moved;
  if (::ioctl(job.out_fd, FICLONE, job.in_fd) != 0) {
    moved.error = last_error("ioctl FICLONE");
  } else {
    moved.bytes = workspace.source_bytes;
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload&) { return {{"ioctl:FICLONE", 1, 1}}; }

}  // namespace

extern const Method kReflink;
constinit const Method kReflink = {
    .name = "reflink",
    .summary = "FICLONE the whole file (XFS, btrfs)",
    .needs = {.sinks = sink_bit(SinkKind::file), .takes_buffer_size = false},
    .prepare = prepare,
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
