// SPDX-License-Identifier: MIT
// How the numbers of a table are written: a report writes totals out, `top` abbreviates them and
// divides them by the interval.
#pragma once

#include <cstdint>
#include <string>

namespace zctrace {

class Numerals {
 public:
  virtual ~Numerals() = default;

  // Sums over all calls.
  virtual std::string count(std::uint64_t n) const = 0;
  virtual std::string bytes(std::uint64_t n) const = 0;
  virtual std::string time(std::uint64_t ns) const = 0;
  // Of one call, or at one time.
  virtual std::string size(std::uint64_t bytes) const = 0;
  virtual std::string duration(std::uint64_t ns) const = 0;
  virtual std::string share(double share) const = 0;
};

// "1,234,567", "10.0 MiB", "1.23 ms", "99.9%". Lives as long as the program.
const Numerals& full_numerals();

}  // namespace zctrace
