// SPDX-License-Identifier: MIT
// The kernel hands orphans to the nearest ancestor that asked for them, and lists them in
// /proc/self/task/TID/children. A thread is the parent of what it forked.
#include "transfers/external/orphans.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "transfers/error.h"

namespace zctrace::transfers {
namespace {

std::set<pid_t> children() {
  std::set<pid_t> found;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid; list >> pid;) found.insert(pid);
  }
  return found;
}

}  // namespace

Orphans::Orphans() {
  if (::prctl(PR_GET_CHILD_SUBREAPER, &before_) != 0 || ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    throw SetupError(errno, "become the parent of orphaned processes");
  others_ = children();
}

Orphans::~Orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, before_); }

bool Orphans::end_all(pid_t program, std::chrono::milliseconds patience) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    bool any = false;
    for (const pid_t pid : children()) {
      if (pid == program || others_.contains(pid)) continue;
      any = true;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, WNOHANG);
    }
    if (!any) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace zctrace::transfers
