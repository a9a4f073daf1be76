// SPDX-License-Identifier: MIT
// Mean, median and spread of a handful of measurements.
#pragma once

#include <vector>

namespace zctrace {

struct Statistics {
  double mean = 0;
  double stddev = 0;  // of the sample (n - 1); 0 for a single run
  double median = 0;
  double min = 0;
  double max = 0;
};

// Of at least one value.
Statistics statistics_of(std::vector<double> values);
// 0 of no values.
double median_of(const std::vector<double>& values);

}  // namespace zctrace
