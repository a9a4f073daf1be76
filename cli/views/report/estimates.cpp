// SPDX-License-Identifier: MIT
// The least exact row stands for all.
#include "cli/views/report/estimates.h"

#include <algorithm>

#include <fmt/format.h>

namespace zctrace {
namespace {

constexpr double kLeastPercent = 0.1;  // that is shown

}  // namespace

std::string estimate_mark(const Row& row) { return row.wall_error_ns() != 0 ? "~" : ""; }

std::optional<ColumnNote> estimate_note(const std::vector<Row>& rows) {
  double largest = 0;
  for (const Row& row : rows)
    if (row.wall_error_ns() != 0 && row.wall_ns != 0)
      largest = std::max(
          largest, static_cast<double>(row.wall_error_ns()) / static_cast<double>(row.wall_ns));
  if (largest == 0) return std::nullopt;
  return ColumnNote{"TIME",
                    fmt::format("TIME with ~ is estimated from one call in 16: within {:.2g}% of "
                                "the truth in 95 of 100 runs; --timing all times every call",
                                std::max(kLeastPercent, largest * 100))};
}

}  // namespace zctrace
