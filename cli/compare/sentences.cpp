// SPDX-License-Identifier: MIT
// Words and digits for sentences.
#include "cli/compare/sentences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zctrace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::vector<std::string> labels_of(const Rows& rows) {
  std::vector<std::string> labels;
  for (const MethodResult* row : rows) labels.push_back(row->label);
  return labels;
}

std::string times_text(double ratio) {
  return fmt::format("{:.{}f}", ratio, ratio < 2 ? 2 : ratio < 10 ? 1 : 0);
}

std::string with_interval(double value, const Interval& interval) {
  constexpr double kWide = 0.3;
  const double margin = std::max(value - interval.low, interval.high - value);
  if (margin > kWide * value)
    return fmt::format("{} ({} to {})", times_text(value), times_text(interval.low),
                       times_text(interval.high));
  const int digits = margin >= 10 ? 0 : margin >= 0.1 ? 1 : 2;
  // The margin is rounded up.
  const double place = std::pow(10, digits);
  return fmt::format("{:.{}f} ± {:.{}f}", value, digits, std::ceil(margin * place - 1e-9) / place,
                     digits);
}

double cpu_ns(const MethodResult& result) {
  return median_of(result.cpu_ns()) + median_of(result.daemon_cpu_ns());
}

}  // namespace zctrace
