// SPDX-License-Identifier: MIT
// How a shell shows the end of a process.
#pragma once

#include <sys/wait.h>

namespace zctrace {

// From what wait(2) tells: the exit status, or 128+N for signal N.
inline int shell_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace zctrace
