// SPDX-License-Identifier: MIT
// readv and writev: the same bytes through several segments of one buffer.
#include <sys/uio.h>

#include <array>

#include "transfers/methods/io_loop.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

constexpr std::size_t kSegments = 4;  // as many as a server's header, body and trailers

// `bytes` from `start` on, cut into kSegments nearly equal parts; some may be empty.
std::array<iovec, kSegments> segments(std::byte* start, std::uint64_t bytes) {
  std::array<iovec, kSegments> parts;
  const std::uint64_t part_bytes = divide_up(bytes, kSegments);
  for (iovec& part : parts) {
    part = {start, std::min(part_bytes, bytes)};
    start += part.iov_len;
    bytes -= part.iov_len;
  }
  return parts;
}

Moved move(const Transfer& job, Workspace& workspace) {
  std::byte* const buffer = workspace.buffer.begin();
  // One call may ask for more than it moves, unless the sum overflows.
  const std::uint64_t call_bytes = std::min(job.buffer_bytes, kMaxCallBytes);
  Moved moved;
  // Reads until the end of the file, as read_write does.
  for (;;) {
    auto parts = segments(buffer, call_bytes);
    const ssize_t n = restarted([&] { return ::readv(job.in_fd, parts.data(), kSegments); });
    if (n < 0) moved.error = last_error("readv");
    if (n <= 0 || moved.bytes == job.length) break;
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    moved.error =
        complete("writev", chunk, moved.bytes, [&](std::uint64_t done, std::uint64_t left) {
          parts = segments(buffer + done, left);
          return ::writev(job.out_fd, parts.data(), kSegments);
        });
    if (moved.error) break;
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t chunks =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  return {{"readv", chunks + 1, chunks + 1}, {"writev", chunks, chunks}};
}

}  // namespace

extern const Method kReadvWritev;
constinit const Method kReadvWritev = {
    .name = "readv_writev",
    .summary = "readv and writev of a buffer in four segments",
    .needs = {.buffers = 1},
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
