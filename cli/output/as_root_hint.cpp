// SPDX-License-Identifier: MIT
#include "cli/output/as_root_hint.h"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace zctrace {
namespace {

constexpr const char* kHint =
    "it runs as the user who called sudo; use --as-root to run it as root";

}  // namespace

std::optional<std::string> as_root_hint(const Error& error) {
  const bool denied = error.error_number() == EACCES || error.error_number() == EPERM;
  if (!denied || error.exit_code() != kExitNotExecutable) return std::nullopt;
  return kHint;
}

std::optional<std::string> as_root_hint(const Report& report) {
  const std::vector<Row> rows = report.totals().sum.rows;
  const bool denied = std::any_of(rows.begin(), rows.end(), [](const Row& row) {
    return row.errors_by.contains(EACCES) || row.errors_by.contains(EPERM);
  });
  if (!denied) return std::nullopt;
  return std::string("the command failed with a permission error; ") + kHint;
}

}  // namespace zctrace
