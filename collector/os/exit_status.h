// SPDX-License-Identifier: MIT
// Shows how a process ended, from its wait(2) status.
#pragma once

#include <string.h>
#include <sys/wait.h>

#include <string>

namespace zctrace {

// As a shell shows it: the exit status, or 128+N if signal N killed the process.
inline int shell_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// In words: "" for exit status 0, "killed by SIGSEGV", "exited with status 1".
inline std::string ending_text(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const char* const name = ::sigabbrev_np(WTERMSIG(wait_status));  // glibc 2.32
    return "killed by " + (name != nullptr ? std::string("SIG") + name
                                           : "signal " + std::to_string(WTERMSIG(wait_status)));
  }
  const int status = WEXITSTATUS(wait_status);
  return status == 0 ? "" : "exited with status " + std::to_string(status);
}

}  // namespace zctrace
