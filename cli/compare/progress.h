// SPDX-License-Identifier: MIT
// A bar on a terminal while something takes long; nothing anywhere else.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace zctrace {

// "[####....] 12/84 round 1/5 splice/64K, about 14 s left", without a line end and cut to `width`.
// The time that is left follows from the steps that are done; before there are any, it is not
// shown.
std::string progress_line(std::size_t done, std::size_t steps, const std::string& what,
                          std::chrono::nanoseconds elapsed, std::size_t width);

// Owns the last line of the terminal until it is destroyed, and leaves it empty.
class Progress {
 public:
  // `steps` in all; shown on standard error when that is a terminal.
  explicit Progress(std::size_t steps);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows that the next step begins.
  void step(const std::string& what);

 private:
  bool shown_;
  std::size_t steps_;
  std::size_t done_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace zctrace
