// SPDX-License-Identifier: MIT
// fork, gate, exec; every failure of the child comes back as an errno.
#include "collector/os/gated_child.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "collector/os/error.h"
#include "collector/os/pipe.h"

namespace zctrace {
namespace {

// Never returns: execs or reports an errno. Nothing here may unwind into the parent's objects.
[[noreturn]] void run_child(const std::vector<char*>& argv, const std::optional<Identity>& identity,
                            const SignalState& signals, const std::function<int()>& prepare,
                            int gate, int report) noexcept {
  char released = 0;
  ssize_t n;
  do {
    n = ::read(gate, &released, 1);
  } while (n < 0 && errno == EINTR);
  if (n != 1) ::_exit(0);  // zctrace gave up or died
  int error = prepare ? prepare() : 0;
  if (error == 0 && identity) error = become(*identity);
  if (error == 0) {
    ::sigaction(SIGPIPE, &signals.pipe, nullptr);
    ::sigprocmask(SIG_SETMASK, &signals.mask, nullptr);
    ::execvp(argv[0], argv.data());
    error = errno;
  }
  if (::write(report, &error, sizeof(error)) < 0) ::_exit(kExitNotExecutable);
  ::_exit(kExitNotExecutable);
}

}  // namespace

GatedChild::GatedChild(std::vector<std::string> argv, const std::optional<Identity>& identity,
                       const SignalState& signals, const std::function<int()>& prepare)
    : name_(argv.at(0)) {
  Pipe gate = make_pipe();
  Pipe report = make_pipe();
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ < 0) throw system_error("cannot fork", errno);
  if (pid_ == 0) {
    gate.writer.reset();  // or the child would hold its own gate open
    run_child(pointers, identity, signals, prepare, gate.reader.get(), report.writer.get());
  }
  gate_ = std::move(gate.writer);
  report_ = std::move(report.reader);
  handle_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!handle_) {
    const int error = errno;
    gate_.reset();
    wait();
    throw system_error("cannot watch process " + std::to_string(pid_), error);
  }
}

GatedChild::~GatedChild() {
  if (reaped_ || released_) return;
  gate_.reset();
  int status;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

void GatedChild::release() {
  const char go = 1;
  released_ = true;
  if (::write(gate_.get(), &go, 1) != 1) throw system_error("cannot release the command", errno);
  gate_.reset();
  int error = 0;
  ssize_t n;
  do {
    n = ::read(report_.get(), &error, sizeof(error));
  } while (n < 0 && errno == EINTR);
  report_.reset();
  if (n == 0) return;  // closed by the exec
  wait();
  throw system_error("cannot run '" + name_ + "'", error,
                     error == ENOENT || error == ENOTDIR ? kExitNotFound : kExitNotExecutable);
}

int GatedChild::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0)
    if (errno != EINTR) throw system_error("cannot wait for the command", errno);
  reaped_ = true;
  return status;
}

}  // namespace zctrace
