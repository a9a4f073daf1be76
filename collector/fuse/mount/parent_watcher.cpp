// SPDX-License-Identifier: MIT
// Messages of the parent arrive through a pipe; its death is reported by a signal.
#include "collector/fuse/mount/parent_watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "collector/os/pipe.h"

namespace zctrace::fuse {
namespace {

// Not a real-time signal: when the queue is full, that one arrives without its sender's PID.
constexpr int kDeath = SIGUSR1;

// The standard streams may have been closed when zctrace was started.
int above_streams(int fd) noexcept { return ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); }

}  // namespace

Parent::Parent(pid_t pid, int pipe) noexcept : pid_(pid), pipe_(above_streams(pipe)) {
  ::setsid();
  sigset_t signals;
  ::sigfillset(&signals);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
  ::sigemptyset(&signals);
  ::sigaddset(&signals, kDeath);
  death_ = above_streams(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  // If the parent was already dead, it had no other thread, so its end of the pipe is closed.
  ::prctl(PR_SET_PDEATHSIG, kDeath);
}

void Parent::close_others(std::span<int* const> kept) noexcept {
  constexpr std::size_t kMost = 4;
  int own[2 + kMost] = {pipe_, death_, -1, -1, -1, -1};
  for (std::size_t i = 0; i < std::min(kept.size(), kMost); ++i)
    own[2 + i] = *kept[i] = above_streams(*kept[i]);
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) ::dup2(nowhere, fd);
  close_all_but(own);
}

bool Parent::has_died() noexcept {
  signalfd_siginfo signal = {};
  while (::read(death_, &signal, sizeof(signal)) == sizeof(signal))
    if (signal.ssi_pid == static_cast<unsigned>(pid_)) return true;
  return false;
}

Parent::Received Parent::receive(void* message, std::size_t size) noexcept {
  for (;;) {
    pollfd events[] = {{pipe_, POLLIN, 0}, {death_, POLLIN, 0}};
    if (::poll(events, 2, -1) < 0) continue;
    if (events[0].revents != 0) {
      const ssize_t n = ::read(pipe_, message, size);
      if (n < 0 && errno == EINTR) continue;
      return n == static_cast<ssize_t>(size) ? Received::message : Received::closed;
    }
    if (events[1].revents != 0 && has_died()) return Received::died;
  }
}

void Parent::wait_until_closed() noexcept {
  char word;
  ssize_t n;
  do {
    n = ::read(pipe_, &word, 1);
  } while (n > 0 || (n < 0 && errno == EINTR));
}

ParentWatcher::ParentWatcher(const std::function<void(Parent&)>& life) {
  Pipe pipe = make_pipe();
  const pid_t parent = ::getpid();
  ChildOptions options;
  options.unwaited = ChildOptions::Unwaited::wait;
  child_.emplace(options, [&] {
    pipe.writer.reset();  // otherwise the pipe would never be closed
    Parent seen(parent, pipe.reader.get());
    life(seen);
  });
  pipe_ = std::move(pipe.writer);
}

ParentWatcher::~ParentWatcher() { pipe_.reset(); }

void ParentWatcher::send(const void* message, std::size_t size) noexcept {
  if (::write(pipe_.get(), message, size) < 0) return;  // the child was killed
}

}  // namespace zctrace::fuse
