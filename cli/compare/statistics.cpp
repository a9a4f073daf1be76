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
  statistics.stddev = n > 1 ? std::sqrt(squares / static_cast<double>(n - 1)) : 0;
  return statistics;
}

double median_of(const std::vector<double>& values) {
  return values.empty() ? 0 : statistics_of(values).median;
}

}  // namespace zctrace
