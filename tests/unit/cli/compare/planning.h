// SPDX-License-Identifier: MIT
// What the tests of plans ask of one.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/compare/plan.h"
#include "collector/os/error.h"

namespace zctrace {

inline std::vector<std::string> labels(const std::vector<PlannedRow>& rows) {
  std::vector<std::string> names;
  for (const PlannedRow& row : rows) names.push_back(row.label);
  return names;
}

// The message of the usage error from planning; "" if there is none.
inline std::string usage_error(const CompareOptions& options) {
  try {
    plan_compare(options);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), kExitUsage) << error.what();
    return error.what();
  }
  return "";
}

}  // namespace zctrace
