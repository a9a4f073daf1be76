// SPDX-License-Identifier: MIT
// A pipe whose two ends have an owner each.
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

// Closed on exec. Throws Error.
inline Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error("cannot create a pipe", errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace zctrace
