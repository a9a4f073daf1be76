// SPDX-License-Identifier: MIT
// The exception type, for failures that make a run impossible. Expected outcomes are values.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace zctrace {

// Exit statuses that scripts rely on. Otherwise `run` returns the command's own.
enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitLost = 3,
  kExitCannotRun = 77,
  kExitNotExecutable = 126,
  kExitNotFound = 127,
};

// A message reads: what failed, on what, why, and what the user can do about it.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, int exit_code = kExitFailed, int error_number = 0)
      : std::runtime_error(message), exit_code_(exit_code), error_number_(error_number) {}

  int exit_code() const { return exit_code_; }
  // The errno in the message; 0 if there is none.
  int error_number() const { return error_number_; }

 private:
  int exit_code_;
  int error_number_;
};

// "cannot open '/x': Permission denied", from an errno value (positive).
inline Error system_error(const std::string& what, int error, int exit_code = kExitFailed) {
  return Error(what + ": " + std::generic_category().message(error), exit_code, error);
}

}  // namespace zctrace
