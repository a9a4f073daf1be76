// SPDX-License-Identifier: MIT
// A pipe by which one process wakes another.
#pragma once

#include <unistd.h>

#include <cerrno>

#include "collector/os/pipe.h"

namespace zctrace {

// Made before the fork, so that both processes have both ends; each closes the one that it does
// not use, or keeps it knowingly.
class Wakeup {
 public:
  Wakeup() : pipe_(make_pipe()) {}  // throws Error

  int wait_fd() const { return pipe_.reader.get(); }
  int send_fd() const { return pipe_.writer.get(); }
  void close_wait_end() { pipe_.reader.reset(); }
  void close_send_end() { pipe_.writer.reset(); }

  // False: no process is left that could send.
  bool wait() const noexcept {
    char byte;
    ssize_t n;
    do {
      n = ::read(pipe_.reader.get(), &byte, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
  }
  // False: no process is left that could wait, or the pipe is broken. SIGPIPE is not raised as
  // long as the sender holds the other end as well.
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
