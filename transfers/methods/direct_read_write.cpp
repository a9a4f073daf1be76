// SPDX-License-Identifier: MIT
// read and write with O_DIRECT, which bypasses the page cache if the file system has a disk.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

// Enough for logical blocks of 512 bytes and 4 KiB; devices with larger ones fail with EINVAL.
constexpr std::uint64_t kAlignmentBytes = 4096;

struct DirectState : MethodState {
  int sink_flags = 0;
  bool sink_is_direct = false;
};

Failure prepare(const Transfer& job, Workspace& workspace) {
  // ext4 quietly buffers a misaligned request instead of refusing it.
  if (job.buffer_bytes % kAlignmentBytes != 0) {
    return {EINVAL, "O_DIRECT with a buffer that is not a multiple of 4096 bytes"};
  }
  auto state = std::make_unique<DirectState>();
  const int source_flags = ::fcntl(job.in_fd, F_GETFL);
  if (::fcntl(job.in_fd, F_SETFL, source_flags | O_DIRECT) != 0) {
    return last_error("fcntl O_DIRECT of the source");
  }
  struct stat status {};
  if (::fstat(job.out_fd, &status) != 0) return last_error("fstat of the sink");
  // O_DIRECT means packets on a pipe, and nothing on a socket.
  if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)) {
    state->sink_flags = ::fcntl(job.out_fd, F_GETFL);
    if (::fcntl(job.out_fd, F_SETFL, state->sink_flags | O_DIRECT) != 0) {
      return last_error("fcntl O_DIRECT of the sink");
    }
    state->sink_is_direct = true;
  }
  workspace.state = std::move(state);
  return {};
}

// The tail of a file is not a whole block, so it goes through the page cache, as with dd.
Failure stop_direct_writes(const Transfer& job, DirectState& state) {
  if (::fcntl(job.out_fd, F_SETFL, state.sink_flags) != 0) return last_error("fcntl of the sink");
  state.sink_is_direct = false;
  return {};
}

Moved move(const Transfer& job, Workspace& workspace) {
  std::byte* const buffer = workspace.buffer.begin();
  auto& state = static_cast<DirectState&>(*workspace.state);
  Moved moved;
  // Reads until the end of the file, as read_write does.
  for (;;) {
    const ssize_t n = restarted([&] { return ::read(job.in_fd, buffer, job.buffer_bytes); });
    if (n < 0) moved.error = last_error("read O_DIRECT");
    if (n <= 0 || moved.bytes == job.length) break;
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    if (state.sink_is_direct && chunk % kAlignmentBytes != 0) {
      moved.error = stop_direct_writes(job, state);
      if (moved.error) break;
    }
    moved.error =
        complete("write O_DIRECT", chunk, moved.bytes, [&](std::uint64_t done, std::uint64_t left) {
          return ::write(job.out_fd, buffer + done, left);
        });
    if (moved.error) break;
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t chunks =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  const std::uint64_t tails =
      contains(kFileSinks, workload.sink) && workload.bytes % kAlignmentBytes != 0;
  return {{"read", chunks + 1, chunks + 1}, {"write", chunks, chunks}, {"fcntl", tails, tails}};
}

}  // namespace

extern const Method kDirectReadWrite;
constinit const Method kDirectReadWrite = {
    .name = "direct_read_write",
    .summary = "read and write with O_DIRECT",
    .needs = {.buffer_alignment = kAlignmentBytes, .buffers = 1},
    .prepare = prepare,
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
