// SPDX-License-Identifier: MIT
// Two ways to fail: a row shows an errno, which is a value; a run that cannot be set up throws
// the one exception.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

#include "collector/os/error.h"

namespace zctrace::transfers {

// An expected failure. Trivially copyable and made without allocating, because methods
// return it from inside the measured window.
struct Failure {
  int number = 0;              // errno; 0 is success
  const char* operation = "";  // a string literal: the call that failed, or what was found

  explicit operator bool() const { return number != 0; }
};

inline Failure last_error(const char* operation) { return {errno, operation}; }

// "EINVAL: sendfile: Invalid argument", the form that reports show.
std::string error_text(int number, const std::string& what);
inline std::string error_text(const Failure& failure) {
  return error_text(failure.number, failure.operation);
}

// The project's exception for set-up that failed, which keeps the errno. It says what failed, on
// what, why, and what the user can do about it.
class SetupError : public Error {
 public:
  SetupError(int number, const std::string& doing, const std::string& advice = "");
  std::error_code code() const { return {number_, std::generic_category()}; }

 private:
  int number_;
};

}  // namespace zctrace::transfers
