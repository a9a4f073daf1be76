// SPDX-License-Identifier: MIT
// What a program says on its standard error, of which one line is worth showing.
#pragma once

#include <string>

#include "collector/os/pipe.h"

namespace zctrace::transfers {

// Owns the pipe. Keeps the end of what comes, however much that is.
class ErrorOutput {
 public:
  ErrorOutput();  // throws Error

  int write_fd() const { return pipe_.writer.get(); }
  int read_fd() const { return pipe_.reader.get(); }  // -1 at the end
  void close_write_end() { pipe_.writer.reset(); }

  // Reads what there is, without waiting.
  void take();
  // The last line that is not empty, cut; "": there is none. It may hold any bytes.
  std::string last_line() const;

 private:
  Pipe pipe_;
  std::string tail_;
};

}  // namespace zctrace::transfers
