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

bool clearly_less(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() < kLeastToRank || b.size() < kLeastToRank) return false;
  const Statistics low = statistics_of(a);
  const Statistics high = statistics_of(b);
  if (low.median + *low.stddev < high.median - *high.stddev) return low.median < high.min;
  // One slow run makes the deviation large, even where all values are far apart.
  return low.max < high.min && 2 * low.median < high.median;
}

}  // namespace zctrace
