// SPDX-License-Identifier: MIT
// The two ways to fail: an errno as a value where it is an outcome to be shown in a
// row, and one exception where a run cannot even be set up.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace zctrace::transfers {

// An expected failure. Trivially copyable and made without allocating, because methods
// return it from inside the measured window.
struct Error {
  int number = 0;              // errno; 0 is success
  const char* operation = "";  // a string literal: the call that failed, or what was found

  explicit operator bool() const { return number != 0; }
};

inline Error last_error(const char* operation) { return {errno, operation}; }

// "EINVAL: sendfile: Invalid argument", the form that reports show.
std::string error_text(int number, const std::string& what);
inline std::string error_text(const Error& error) {
  return error_text(error.number, error.operation);
}

// Set-up that failed: what was being done, to what, why (errno), and what can be done.
class SetupError : public std::system_error {
 public:
  SetupError(int number, const std::string& doing, const std::string& advice = "");
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

}  // namespace zctrace::transfers
