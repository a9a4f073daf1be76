// SPDX-License-Identifier: MIT
// A pipe that one process uses to wake another.
#pragma once

#include <unistd.h>

#include <cerrno>

#include "collector/os/pipe.h"

namespace zctrace {

// Create it before the fork. Both processes then have both ends, and each should close the one that
// it does not use.
class Wakeup {
 public:
  Wakeup() : pipe_(make_pipe()) {}  // throws Error

  int wait_fd() const { return pipe_.reader.get(); }
  int send_fd() const { return pipe_.writer.get(); }
  void close_wait_end() { pipe_.reader.reset(); }
  void close_send_end() { pipe_.writer.reset(); }

  // Returns false if no process is left that could send.
  bool wait() const noexcept {
    char byte;
    ssize_t n;
    do {
      n = ::read(pipe_.reader.get(), &byte, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
  }
  // Returns false if no process is left that could wait. As long as the sender also holds the other
  // end, this raises no SIGPIPE.
  bool send() const noexcept {
    ssize_t n;
    do {
      n = ::write(pipe_.writer.get(), "g", 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
  }

 private:
  Pipe pipe_;
};

}  // namespace zctrace
