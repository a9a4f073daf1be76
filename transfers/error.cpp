// SPDX-License-Identifier: MIT
// Texts of errors.
#include "transfers/error.h"

#include <cstring>

namespace zctrace::transfers {

std::string error_text(int number, const std::string& what) {
  const char* name = ::strerrorname_np(number);  // glibc 2.32
  const char* reason = ::strerrordesc_np(number);
  std::string text = name ? name : "errno " + std::to_string(number);
  text += ": " + what;
  if (reason) text += std::string(": ") + reason;
  return text;
}

SetupError::SetupError(int number, const std::string& doing, const std::string& advice)
    : Error("cannot " + doing + ": " + std::generic_category().message(number) +
            (advice.empty() ? "" : "; " + advice)),
      number_(number) {}

}  // namespace zctrace::transfers
