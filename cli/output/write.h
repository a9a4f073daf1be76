// SPDX-License-Identifier: MIT
// Writes text to a descriptor completely, or a line to standard error.
#pragma once

#include <string>

#include "collector/os/error.h"

namespace zctrace {

// The other end of a pipe was closed, as by `head` when it has read enough. That ends the command,
// but is not reported as an error.
class ReaderGone : public Error {
  using Error::Error;
};

// Writes `text` to standard error; does nothing where that is closed.
void tell(const std::string& text) noexcept;

// The same for a message, with "zctrace: " before it. On a terminal its lines break between words;
// a program that reads a pipe gets one line.
void say(const std::string& message);

// Writes all of `text` to `fd`. Throws Error, which says "cannot write WHAT"; ReaderGone where
// that is a pipe which nothing reads any more.
void write_all(int fd, const std::string& text, const std::string& what);

}  // namespace zctrace
