// SPDX-License-Identifier: MIT
// With --duty only slices of the time are observed: counts are estimates, and this is how far they
// may be from the truth. Pure. See docs/duty.md.
#pragma once

#include <cstdint>
#include <optional>

namespace zctrace {

// Of a row. Sums that only grow, so that an interval is a difference.
struct SlicedRow {
  double calls_variance = 0;
  double bytes_variance = 0;
  std::uint64_t slices = 0;  // in which calls of it were seen

  SlicedRow& operator+=(const SlicedRow& more);
  SlicedRow& operator-=(const SlicedRow& earlier);
};

// Of a process, or of all. Their rows go up and down together, so it is not the sum of theirs.
struct SlicedSum {
  double syscalls_variance = 0;
  double delivered_bytes_variance = 0;
  double cpu_copied_bytes_variance = 0;
  std::uint64_t slices = 0;  // in which calls of it were seen

  SlicedSum& operator+=(const SlicedSum& more);
  SlicedSum& operator-=(const SlicedSum& earlier);
};

// What a whole report has.
struct Duty {
  double share = 0;               // asked for
  std::uint64_t observed_ns = 0;  // of duration_ns
  std::uint64_t slices = 0;
  SlicedSum sum;  // of all processes
};

// Fewer do not say how far the truth may be.
inline constexpr std::uint64_t kLeastSlices = 16;

// How far an estimate is from the truth: less than this in at least 95 of 100 observations, if what
// happens between slices is like what happens in them. nullopt: seen in fewer than kLeastSlices
// slices, so it is not known.
std::optional<std::uint64_t> sliced_error(double variance, std::uint64_t slices);
// The inverse, of an error that was read.
double sliced_variance(std::uint64_t error, std::uint64_t slices);

}  // namespace zctrace
