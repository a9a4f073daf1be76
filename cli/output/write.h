// SPDX-License-Identifier: MIT
// Text to a descriptor: whole, or a line on standard error.
#pragma once

#include <string>

namespace zctrace {

// Writes `text` to standard error; does nothing where that is closed.
void tell(const std::string& text) noexcept;

// Writes all of `text` to `fd`. Throws Error, which says "cannot write WHAT".
void write_all(int fd, const std::string& text, const std::string& what);

}  // namespace zctrace
