// SPDX-License-Identifier: MIT
// A bar on a terminal while something takes long; nothing anywhere else.
#pragma once

#include <cstddef>
#include <string>

namespace zctrace {

// Owns the last line of the terminal until it is destroyed, and leaves it empty.
class Progress {
 public:
  // `steps` in all; shown on standard error when that is a terminal.
  explicit Progress(std::size_t steps);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(const std::string& what);

 private:
  bool shown_;
  std::size_t steps_;
  std::size_t done_ = 0;
};

}  // namespace zctrace
