// SPDX-License-Identifier: MIT
// --fail-if: what a difference must not have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/diff/difference_of_reports.h"

namespace zctrace {

// The exit status where a condition holds.
inline constexpr int kExitFailIf = 4;

// 'FIGURE OP [+|-]X[%]', or 'SCOPE: FIGURE OP ...'.
struct Condition {
  std::string text;  // as given
  std::string scope = kTotalsScope;
  std::string figure;
  std::string comparison;  // ">", "<", ">=", "<=", "==", "!="
  bool of_change = false;  // X has a sign: it is about the change, otherwise about B
  bool percent = false;
  double limit = 0;
};

// Throws Error (usage), which names the place of what is wrong.
Condition parse_condition(const std::string& text);

// Throws Error (usage): neither side has the scope or the figure; suggests what was meant.
void check_condition(const Condition& condition, const ReportDiff& diff);

// What to say of a condition that holds: "cpu_copies_per_byte rose by 100% (from 1 to 2), ...".
// nullopt: it does not hold. One that cannot be judged, because a side does not have the figure,
// holds: a release must not pass because nothing was measured. Where there are enough samples, a
// change must also be significant.
std::optional<std::string> why_failed(const Condition& condition, const ReportDiff& diff);

}  // namespace zctrace
