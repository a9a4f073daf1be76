// SPDX-License-Identifier: MIT
// The pipe that splice, tee and vmsplice need between a file and a sink.
#pragma once

#include <cstdint>

#include "collector/os/pipe.h"
#include "transfers/error.h"
#include "transfers/method.h"

namespace zctrace::transfers {

// A new pipe's capacity: 16 pages (fewer for a user above pipe-user-pages-soft).
std::uint64_t default_pipe_bytes();

// The capacity to ask for so that a call can move `buffer_bytes`: never below the
// default, a power of two, at most /proc/sys/fs/pipe-max-size (more needs
// CAP_SYS_RESOURCE). Reads that file: call it outside the window.
std::uint64_t pipe_bytes_for(std::uint64_t buffer_bytes);

// pipe2, and fcntl(F_SETPIPE_SZ) if `bytes` is not the default. `bytes` becomes the
// capacity; EPERM leaves the default and is not an error.
Failure open_intermediate_pipe(Pipe& pipe, std::uint64_t& bytes);

// Splices exactly `bytes` from the pipe to `out_fd`, and adds what the sink took to `moved`.
// Bytes that an error leaves in the pipe are lost with it: a pipe is never reused.
Failure splice_out(const Pipe& pipe, int out_fd, std::uint64_t bytes, std::uint64_t& moved);

// The number of chunks of a workload through an intermediate pipe, and whether that is
// exact: a chunk off page boundaries may straddle one page more than the pipe has slots.
struct PipeChunks {
  std::uint64_t count = 0;
  bool exact = true;

  ExpectedCalls calls(std::string_view syscall, std::uint64_t each, std::uint64_t more) const {
    const std::uint64_t n = each * count + more;
    return {syscall, n, exact ? n : kUnbounded};
  }
};
PipeChunks pipe_chunks(const Workload& workload);

}  // namespace zctrace::transfers
