// SPDX-License-Identifier: MIT
// Forks, and sets up the child before `life` runs.
#include "collector/os/child.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>
#include <utility>

#include "collector/os/error.h"

namespace zctrace {
namespace {

void die_with(pid_t parent) noexcept {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) ::_exit(kExitNotExecutable);
  // If the parent died before prctl, no signal comes.
  if (::getppid() != parent) ::_exit(kExitNotExecutable);
}

void take_default_signals() noexcept {
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) ::signal(signal, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_from(unsigned first, unsigned last) noexcept {
  if (first <= last) ::close_range(first, last, 0);
}

}  // namespace

void close_all_but(std::span<const int> kept) noexcept {
  for (unsigned next = STDERR_FILENO + 1;;) {
    unsigned keep = UINT_MAX;
    for (const int fd : kept)
      if (fd >= 0 && static_cast<unsigned>(fd) >= next)
        keep = std::min(keep, static_cast<unsigned>(fd));
    close_from(next, keep == UINT_MAX ? keep : keep - 1);
    if (keep == UINT_MAX) return;
    next = keep + 1;
  }
}

ChildOptions dependent_child(std::vector<int> kept) {
  ChildOptions options;
  options.dies_with_parent = true;
  options.own_signals = true;
  options.kept = std::move(kept);
  return options;
}

Child::Child(const ChildOptions& options, const std::function<void()>& life)
    : unwaited_(options.unwaited) {
  if (options.gated) gate_.emplace();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw system_error("cannot fork", errno);
  if (pid_ == 0) live(options, parent, life);
}

void Child::live(const ChildOptions& options, pid_t parent,
                 const std::function<void()>& life) noexcept {
  if (options.dies_with_parent) die_with(parent);
  if (options.own_signals) take_default_signals();
  if (gate_) gate_->close_send_end();  // or the child would hold its own gate open
  if (options.kept) {
    std::vector<int> kept = *options.kept;
    if (gate_) kept.push_back(gate_->wait_fd());
    close_all_but(kept);
  }
  if (gate_ && !gate_->wait()) ::_exit(kExitNotExecutable);
  gate_.reset();
  life();
  ::_exit(0);
}

Child::~Child() {
  if (waited_) return;
  if (gate_) {  // closing the gate ends the child
    gate_.reset();
    wait();
    return;
  }
  if (unwaited_ == ChildOptions::Unwaited::leave) return;
  if (unwaited_ != ChildOptions::Unwaited::wait) kill();
  if (unwaited_ == ChildOptions::Unwaited::abandon)
    try_wait();
  else
    wait();
}

Child::Child(Child&& other) noexcept
    : pid_(other.pid_),
      unwaited_(other.unwaited_),
      waited_(std::exchange(other.waited_, true)),
      gate_(std::exchange(other.gate_, std::nullopt)),
      handle_(std::move(other.handle_)) {}

int Child::handle() {
  if (!handle_) handle_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!handle_) throw system_error("cannot watch process " + std::to_string(pid_), errno);
  return handle_.get();
}

void Child::release() {
  // The parent holds both ends until here. So if the child was killed, send() raises no SIGPIPE.
  const Wakeup gate = std::move(*gate_);
  gate_.reset();
  if (!gate.send()) throw system_error("cannot release process " + std::to_string(pid_), errno);
}

bool Child::try_wait() {
  const pid_t ended = ::waitpid(pid_, nullptr, WNOHANG);
  waited_ = ended == pid_ || (ended < 0 && errno == ECHILD);
  return waited_;
}

int Child::wait() {
  int status = 0;
  waited_ = true;
  while (::waitpid(pid_, &status, 0) < 0)
    if (errno != EINTR) return 0;
  return status;
}

}  // namespace zctrace
