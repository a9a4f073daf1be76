// SPDX-License-Identifier: MIT
// When slices of the time begin, and how long they are. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace zctrace {

// From the end of a slice to the end of the next one, on average.
inline constexpr std::chrono::nanoseconds kDutyPeriod = std::chrono::seconds(1);

// A slice begins at a random time, so that what repeats itself can neither hide from the slices nor
// meet all of them.
class SliceSchedule {
 public:
  // `share`: of the time, above 0 and below 1.
  SliceSchedule(double share, std::uint64_t seed)
      : slice_(std::chrono::duration_cast<std::chrono::nanoseconds>(kDutyPeriod * share)),
        random_(seed) {}

  std::chrono::nanoseconds slice() const { return slice_; }
  // Until the first slice: the beginning is anywhere in a gap.
  std::chrono::nanoseconds first_gap() { return gap(0, 1); }
  // From a slice to the next one. Spread widely: with 0.5 to 1.5, what repeats itself every 0.7 s
  // was within its error in 92 of 100 simulations only.
  std::chrono::nanoseconds next_gap() { return gap(0.1, 1.9); }

 private:
  // So many times the mean.
  std::chrono::nanoseconds gap(double least, double most) {
    const double part = std::uniform_real_distribution(least, most)(random_);
    return std::chrono::duration_cast<std::chrono::nanoseconds>((kDutyPeriod - slice_) * part);
  }

  std::chrono::nanoseconds slice_;
  std::mt19937_64 random_;
};

}  // namespace zctrace
