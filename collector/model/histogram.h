// SPDX-License-Identifier: MIT
// Latencies in buckets, as the kernel side counts them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace zctrace {

// Half-octave latency histogram: bucket 2k covers [2^k', 1.5*2^k'), 2k+1 the rest of
// that octave, with k' = k + kFirstOctave. The first and last buckets are open-ended.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 64;
  static constexpr unsigned kFirstOctave = 5;  // bucket 0 starts below 2^5 ns

  static std::uint64_t lower_bound_ns(std::size_t bucket);
  static std::uint64_t upper_bound_ns(std::size_t bucket);

  void add(std::size_t bucket, std::uint64_t count) { counts_[bucket] += count; }
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket]; }
  std::uint64_t total() const;
  // The value below which `fraction` of the samples lie, interpolated inside its bucket,
  // never above max_ns. Empty histogram: nullopt.
  std::optional<std::uint64_t> percentile_ns(double fraction, std::uint64_t max_ns) const;
  // A lower bound of all samples, at least `floor`. Empty histogram: 0.
  std::uint64_t lowest_ns(std::uint64_t floor) const;
  // An upper bound of all samples, at most `ceiling`. Empty histogram: 0.
  std::uint64_t highest_ns(std::uint64_t ceiling) const;

  Histogram& operator+=(const Histogram& other);
  Histogram& operator-=(const Histogram& other);  // requires other <= *this per bucket

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
};

}  // namespace zctrace
