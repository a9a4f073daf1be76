// SPDX-License-Identifier: MIT
// The arithmetic on a handful of measurements.
#include "cli/compare/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zctrace {

Statistics statistics_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = values.size();
  Statistics statistics;
  statistics.min = values.front();
  statistics.max = values.back();
  statistics.median = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
  statistics.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
  double squares = 0;
  for (const double value : values)
    squares += (value - statistics.mean) * (value - statistics.mean);
  if (n > 1) statistics.stddev = std::sqrt(squares / static_cast<double>(n - 1));
  return statistics;
}

double median_of(const std::vector<double>& values) {
  return values.empty() ? 0 : statistics_of(values).median;
}

std::optional<Interval> median_interval(std::vector<double> values) {
  const std::size_t n = values.size();
  if (n < kLeastToRank) return std::nullopt;
  std::sort(values.begin(), values.end());
  // How many values are below the median is binomial: the interval leaves out as many at each end
  // as are there by chance in at most 2.5% of all cases.
  const auto count = static_cast<double>(n);
  const auto chance = [&](double k) {
    return std::exp(std::lgamma(count + 1) - std::lgamma(k + 1) - std::lgamma(count - k + 1) -
                    count * std::log(2.0));
  };
  std::size_t rank = 0;
  for (double tail = chance(0); tail <= 0.025; tail += chance(static_cast<double>(rank))) ++rank;
  const std::size_t first = rank == 0 ? 0 : rank - 1;
  return Interval{values[first], values[n - 1 - first]};
}

std::optional<double> relative_margin(const std::vector<double>& values) {
  const auto interval = median_interval(values);
  if (!interval) return std::nullopt;
  return (interval->high - interval->low) / 2 / median_of(values);
}

bool clearly_less(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() < kLeastToRank || b.size() < kLeastToRank) return false;
  const Statistics low = statistics_of(a);
  const Statistics high = statistics_of(b);
  if (low.median + *low.stddev < high.median - *high.stddev) return low.median < high.min;
  // One slow run makes the deviation large, even where all values are far apart.
  return low.max < high.min && 2 * low.median < high.median;
}

}  // namespace zctrace
