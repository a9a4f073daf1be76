// SPDX-License-Identifier: MIT
// The steps of the child up to exec. Each failure is reported to the parent as an errno.
#include "collector/os/gated_child.h"

#include <unistd.h>

#include <cerrno>

#include "collector/os/error.h"
#include "collector/os/pipe.h"

namespace zctrace {
namespace {

// Executes the program, or returns an errno. Must not unwind into the parent's objects.
int become_program(const std::vector<char*>& argv, const std::optional<Caller>& caller,
                   const SignalState& signals, const std::function<int()>& prepare) noexcept {
  if (const int error = prepare ? prepare() : 0; error != 0) return error;
  if (const int error = caller ? become(*caller) : 0; error != 0) return error;
  restore(signals);
  ::execvp(argv[0], argv.data());
  return errno;
}

}  // namespace

GatedChild::GatedChild(std::vector<std::string> argv, const std::optional<Caller>& caller,
                       const SignalState& signals, const std::function<int()>& prepare)
    : name_(argv.at(0)) {
  Pipe report = make_pipe();
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);

  ChildOptions options;
  options.gated = true;
  options.unwaited = ChildOptions::Unwaited::leave;
  child_.emplace(options, [&] {
    const int error = become_program(pointers, caller, signals, prepare);
    if (::write(report.writer.get(), &error, sizeof(error)) < 0) ::_exit(kExitNotExecutable);
    ::_exit(kExitNotExecutable);
  });
  report_ = std::move(report.reader);
  child_->handle();  // opened now, while the child cannot have ended
}

void GatedChild::release() {
  child_->release();
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

}  // namespace zctrace
