// SPDX-License-Identifier: MIT
// Messages of the parent arrive through a pipe; its death is reported by a signal.
#include "collector/fuse/mount/parent_watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "collector/os/error.h"
#include "collector/os/pipe.h"

namespace zctrace::fuse {
namespace {

// Not a real-time signal: when the queue is full, that one arrives without its sender's PID.
constexpr int kDeath = SIGUSR1;

// The standard streams may have been closed when zctrace was started.
int above_streams(int fd) noexcept { return ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); }

void close_all_but(std::initializer_list<int> kept) noexcept {
  unsigned next = 0;
  std::array<int, 6> sorted = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, -1, -1, -1};
  std::copy(kept.begin(), kept.end(), sorted.begin() + 3);
  std::sort(sorted.begin(), sorted.end());
  for (const int fd : sorted) {
    if (fd < 0) continue;
    const auto number = static_cast<unsigned>(fd);
    if (number > next) ::close_range(next, number - 1, 0);
    next = number + 1;
  }
  ::close_range(next, ~0U, 0);
}

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

int Parent::close_others(int kept) noexcept {
  kept = above_streams(kept);
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) ::dup2(nowhere, fd);
  close_all_but({pipe_, death_, kept});
  return kept;
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
  pid_ = ::fork();
  if (pid_ < 0) throw system_error("cannot fork", errno);
  if (pid_ == 0) {
    pipe.writer.reset();  // otherwise the pipe would never be closed
    Parent seen(parent, pipe.reader.get());
    life(seen);
    ::_exit(0);
  }
  pipe_ = std::move(pipe.writer);
}

ParentWatcher::~ParentWatcher() {
  pipe_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ParentWatcher::send(const void* message, std::size_t size) noexcept {
  if (::write(pipe_.get(), message, size) < 0) return;  // the child was killed
}

}  // namespace zctrace::fuse
