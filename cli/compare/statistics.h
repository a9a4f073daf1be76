// SPDX-License-Identifier: MIT
// Mean, median and spread of a handful of measurements.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace zctrace {

struct Statistics {
  double mean = 0;
  std::optional<double> stddev;  // of the sample (n - 1); nullopt: one value shows no spread
  double median = 0;
  double min = 0;
  double max = 0;
};

// Of at least one value.
Statistics statistics_of(std::vector<double> values);
// 0 of no values.
double median_of(const std::vector<double>& values);

// Where the median of all possible runs lies, by the ranks of these: with 95% certainty from six
// values on. Of fewer it is the least and the greatest (75% for three, 94% for five). nullopt of
// fewer than kLeastToRank.
struct Interval {
  double low = 0;
  double high = 0;
};
inline constexpr std::size_t kLeastForCertainty = 6;
std::optional<Interval> median_interval(std::vector<double> values);
// Half of that interval as a share of the median.
std::optional<double> relative_margin(const std::vector<double>& values);

// Fewer measurements than this on either side support no statement about which is less.
inline constexpr std::size_t kLeastToRank = 3;

// Whether the values of `a` are less than those of `b` by more than their spread: "median ± stddev"
// does not overlap and no value of `b` is below the median of `a`, or no values overlap and the
// medians differ by a factor of more than 2.
bool clearly_less(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace zctrace
