// SPDX-License-Identifier: MIT
// Forking, dying together, and reaping.
#include "transfers/child.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstring>
#include <vector>

#include "transfers/error.h"

namespace zctrace::transfers {
namespace {

void close_all_but(std::vector<int> kept) {
  kept.insert(kept.end(), {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
  std::sort(kept.begin(), kept.end());
  unsigned next = 0;
  for (const int fd : kept) {
    if (fd < 0) continue;
    const auto keep = static_cast<unsigned>(fd);
    if (keep > next) ::close_range(next, keep - 1, 0);  // Linux 5.9
    next = std::max(next, keep + 1);
  }
  ::close_range(next, UINT_MAX, 0);
}

void become_dependent_on(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) ::_exit(126);
  // The parent may have died before the line above: then nobody sends the signal.
  if (::getppid() != parent) ::_exit(126);
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) ::signal(signal, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    // ECHILD: the program ignores SIGCHLD, so the kernel reaped it and kept no status.
    if (errno != EINTR) return 0;
  }
  return status;
}

}  // namespace

Child::Child(std::initializer_list<int> kept_fds, const std::function<void()>& body) {
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw SetupError(errno, "fork a child for a transfer");
  if (pid_ > 0) return;
  become_dependent_on(parent);
  close_all_but(kept_fds);
  [&]() noexcept { body(); }();
  ::_exit(0);
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait_for(pid_);
}

std::string Child::wait() {
  const int status = wait_for(pid_);
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return std::string("killed by ") +
           (name ? std::string("SIG") + name : std::to_string(WTERMSIG(status)));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    return "exited with status " + std::to_string(WEXITSTATUS(status));
  }
  return "";
}

}  // namespace zctrace::transfers
