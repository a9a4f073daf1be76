// SPDX-License-Identifier: MIT
// Makes and empties the pipe between a file and a sink.
#include "transfers/methods/intermediate_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "transfers/methods/io_loop.h"

namespace zctrace::transfers {
namespace {

constexpr std::uint64_t kSlotsByDefault = 16;  // PIPE_DEF_BUFFERS

std::uint64_t page_bytes() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

std::uint64_t largest_allowed_pipe_bytes() {
  const Descriptor limit(::open("/proc/sys/fs/pipe-max-size", O_RDONLY | O_CLOEXEC));
  char text[32] = {};
  if (!limit || ::read(limit.get(), text, sizeof text - 1) <= 0) return 1 << 20;
  return std::strtoull(text, nullptr, 10);
}

}  // namespace

std::uint64_t default_pipe_bytes() { return kSlotsByDefault * page_bytes(); }

std::uint64_t pipe_bytes_for(std::uint64_t buffer_bytes) {
  const std::uint64_t least = default_pipe_bytes();
  if (buffer_bytes <= least) return least;
  const std::uint64_t most = std::max(least, std::bit_floor(largest_allowed_pipe_bytes()));
  return buffer_bytes >= most ? most : std::bit_ceil(buffer_bytes);
}

Failure open_intermediate_pipe(Pipe& pipe, std::uint64_t& bytes) {
  if (const int number = open_pipe(pipe); number != 0) return {number, "pipe2"};
  const std::uint64_t wanted = bytes;
  bytes = default_pipe_bytes();
  if (wanted == bytes) return {};
  const int capacity = ::fcntl(pipe.writer.get(), F_SETPIPE_SZ, wanted);
  if (capacity < 0 && errno != EPERM) return last_error("fcntl F_SETPIPE_SZ");
  if (capacity > 0) bytes = static_cast<std::uint64_t>(capacity);
  return {};
}

Failure splice_out(const Pipe& pipe, int out_fd, std::uint64_t bytes, std::uint64_t& moved) {
  // No SPLICE_F_MORE: on what turns out to be the last chunk it corks a TCP socket for
  // 200 ms, and if the source ends early, no chunk is known to be the last.
  return complete("splice to the sink", bytes, moved, [&](std::uint64_t, std::uint64_t left) {
    return ::splice(pipe.reader.get(), nullptr, out_fd, nullptr, left, 0);
  });
}

PipeChunks pipe_chunks(const Workload& workload) {
  const std::uint64_t capacity =
      workload.pipe_bytes ? workload.pipe_bytes : pipe_bytes_for(workload.buffer_bytes);
  const std::uint64_t chunk = std::min(workload.buffer_bytes, capacity);
  const std::uint64_t page = page_bytes();
  const bool fits = chunk % page == 0 || chunk / page + 2 <= capacity / page;
  // A pipe as the sink takes only as much as it has space for.
  const bool exact = workload.sink != SinkKind::pipe && (fits || workload.bytes <= chunk);
  return {divide_up(workload.bytes, chunk), exact};
}

}  // namespace zctrace::transfers
