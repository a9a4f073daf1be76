// SPDX-License-Identifier: MIT
// Bounds, percentiles and sums of the buckets.
#include "collector/model/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace zctrace {
namespace {

constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

}  // namespace

std::uint64_t Histogram::lower_bound_ns(std::size_t bucket) {
  if (bucket == 0) return 0;
  const std::uint64_t octave = std::uint64_t{1} << (bucket / 2 + kFirstOctave);
  return bucket % 2 == 0 ? octave : octave + octave / 2;
}

std::uint64_t Histogram::upper_bound_ns(std::size_t bucket) {
  return bucket + 1 < kBuckets ? lower_bound_ns(bucket + 1) : kUnbounded;
}

std::uint64_t Histogram::total() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts_) sum += count;
  return sum;
}

std::optional<std::uint64_t> Histogram::percentile_ns(double fraction, std::uint64_t max_ns) const {
  const std::uint64_t samples = total();
  if (samples == 0) return std::nullopt;
  const double target = std::clamp(fraction, 0.0, 1.0) * static_cast<double>(samples);
  // 0.07 * 100 is a little more than 7, and must still be the 7th sample.
  const bool is_last_sample = std::ceil(target - 1e-9) >= static_cast<double>(samples);

  std::uint64_t before = 0;
  std::size_t bucket = 0;
  while (counts_[bucket] == 0 || (before + counts_[bucket] < samples &&
                                  static_cast<double>(before + counts_[bucket]) < target - 1e-9)) {
    before += counts_[bucket++];
  }
  const std::uint64_t lower = lower_bound_ns(bucket);
  const std::uint64_t upper = std::min(upper_bound_ns(bucket), max_ns);
  if (upper <= lower) return upper;
  if (is_last_sample) return upper;  // its value is known: the maximum
  const double inside = std::clamp(
      (target - static_cast<double>(before)) / static_cast<double>(counts_[bucket]), 0.0, 1.0);
  return lower + std::min(upper - lower,
                          static_cast<std::uint64_t>(inside * static_cast<double>(upper - lower)));
}

std::uint64_t Histogram::lowest_ns(std::uint64_t floor) const {
  for (std::size_t bucket = 0; bucket < kBuckets; bucket++)
    if (counts_[bucket] != 0) return std::max(lower_bound_ns(bucket), floor);
  return 0;
}

std::uint64_t Histogram::highest_ns(std::uint64_t ceiling) const {
  for (std::size_t bucket = kBuckets; bucket-- > 0;)
    if (counts_[bucket] != 0) return std::min(upper_bound_ns(bucket), ceiling);
  return 0;
}

Histogram& Histogram::operator+=(const Histogram& other) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
    counts_[bucket] += other.counts_[bucket];
  return *this;
}

Histogram& Histogram::operator-=(const Histogram& other) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
    counts_[bucket] -= other.counts_[bucket];
  return *this;
}

}  // namespace zctrace
