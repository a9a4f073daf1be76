// SPDX-License-Identifier: MIT
// A pipe that owns both of its ends.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "collector/os/descriptor.h"
#include "collector/os/error.h"

namespace zctrace {

struct Pipe {
  Descriptor reader;
  Descriptor writer;
};

// Opens both ends, closed on exec. Returns 0 or an errno, for callers that expect failures.
inline int open_pipe(Pipe& pipe) noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  pipe.reader.reset(ends[0]);
  pipe.writer.reset(ends[1]);
  return 0;
}

// Throws Error.
inline Pipe make_pipe() {
  Pipe pipe;
  if (const int error = open_pipe(pipe); error != 0)
    throw system_error("cannot create a pipe", error);
  return pipe;
}

}  // namespace zctrace
