// SPDX-License-Identifier: MIT
// read and write by io_uring, two buffers: the next chunk is read while one is written.
#include "transfers/methods/io_loop.h"
#include "transfers/methods/uring.h"

namespace zctrace::transfers {
namespace {

enum Direction : std::uint64_t { kRead = 1, kWrite = 2 };
constexpr auto kCurrentOffset = static_cast<__u64>(-1);

void add_read(Ring& ring, const Transfer& job, std::byte* buffer) {
  io_uring_sqe* entry = ring.next_entry();
  const auto bytes = static_cast<unsigned>(std::min(job.buffer_bytes, kMaxCallBytes));
  ::io_uring_prep_read(entry, job.in_fd, buffer, bytes, kCurrentOffset);
  ::io_uring_sqe_set_data64(entry, kRead);
}

void add_write(Ring& ring, const Transfer& job, const std::byte* from, std::uint64_t bytes) {
  io_uring_sqe* entry = ring.next_entry();
  ::io_uring_prep_write(entry, job.out_fd, from, static_cast<unsigned>(bytes), kCurrentOffset);
  ::io_uring_sqe_set_data64(entry, kWrite);
}

// Writes `bytes` from `from` while reading into `next`; `read_result` is the read's.
Failure write_while_reading(Ring& ring, const Transfer& job, const std::byte* from,
                            std::uint64_t bytes, std::byte* next, Moved& moved, int& read_result) {
  add_write(ring, job, from, bytes);
  add_read(ring, job, next);
  if (Failure error = ring.submit_and_wait(2)) return error;
  int write_result = 0;
  for (int i = 0; i < 2; ++i) {
    io_uring_cqe completion{};
    if (Failure error = ring.take(completion)) return error;
    (completion.user_data == kWrite ? write_result : read_result) = completion.res;
  }
  if (write_result < 0 && write_result != -EINTR) return {-write_result, "io_uring write"};
  const std::uint64_t written = std::max(write_result, 0);
  moved.bytes += written;
  // A socket may take less at once. The rest goes in a write of its own, to keep the order.
  return complete("io_uring write", bytes - written, moved.bytes,
                  [&](std::uint64_t done, std::uint64_t left) {
                    add_write(ring, job, from + written + done, left);
                    return ring.run_one();
                  });
}

Moved move(const Transfer& job, Workspace& workspace) {
  Ring& ring = ring_of(workspace);
  std::byte* current = workspace.buffer.begin();
  std::byte* next = current + job.buffer_bytes;
  Moved moved;
  auto n = static_cast<int>(restarted([&] {
    add_read(ring, job, current);
    return ring.run_one();
  }));
  if (n < 0) moved.error = last_error("io_uring read");
  // Reads until the end of the file, as read_write does.
  while (!moved.error && n > 0 && moved.bytes < job.length) {
    const std::uint64_t chunk = std::min<std::uint64_t>(n, job.length - moved.bytes);
    moved.error = write_while_reading(ring, job, current, chunk, next, moved, n);
    if (!moved.error && n < 0) moved.error = {-n, "io_uring read"};
    std::swap(current, next);
  }
  return moved;
}

std::vector<ExpectedCalls> expected(const Workload& workload) {
  const std::uint64_t chunks =
      divide_up(workload.bytes, std::min(workload.buffer_bytes, kMaxCallBytes));
  const bool exact = contains(kFileSinks | sink_bit(SinkKind::null), workload.sink);
  return {{"io_uring:read", chunks + 1, chunks + 1},
          {"io_uring:write", chunks, exact ? chunks : kUnbounded},
          {"io_uring_enter", chunks + 1, exact ? chunks + 1 : kUnbounded}};
}

}  // namespace

extern const Method kIoUringReadWrite;
constinit const Method kIoUringReadWrite = {
    .name = "io_uring_read_write",
    .summary = "io_uring read and write, two buffers in turn",
    .needs = {.buffers = 2},
    .prepare = prepare_ring,
    .move = move,
    .expected = expected,
};

}  // namespace zctrace::transfers
