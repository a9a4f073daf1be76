// SPDX-License-Identifier: MIT
// Two ways to fail: an errno as a value where it is an outcome that a row shows, and the one
// exception where a run cannot even be set up.
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

// The project's exception with the errno kept: set-up that failed. Says what was being done, to
// what, why, and what the user can do about it.
class SetupError : public Error {
 public:
  SetupError(int number, const std::string& doing, const std::string& advice = "");
  std::error_code code() const { return {number_, std::generic_category()}; }

 private:
  int number_;
};

}  // namespace zctrace::transfers
