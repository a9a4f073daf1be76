// SPDX-License-Identifier: MIT
// The grammar of --fail-if, and when a condition holds.
#include "cli/diff/condition.h"

#include <gtest/gtest.h>

#include "collector/os/error.h"
#include "tests/unit/cli/diff/sides.h"

namespace zctrace {
namespace {

std::string error_of(const std::string& text) {
  try {
    parse_condition(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), kExitUsage);
    return error.what();
  }
  return "";
}

std::string unknown(const std::string& text, const ReportDiff& diff) {
  try {
    check_condition(parse_condition(text), diff);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), kExitUsage);
    return error.what();
  }
  return "";
}

bool fails(const std::string& text, const ReportDiff& diff) {
  const Condition condition = parse_condition(text);
  check_condition(condition, diff);
  return why_failed(condition, diff).has_value();
}

TEST(Condition, HasAScopeAFigureAComparisonAndALimit) {
  Condition condition = parse_condition("cpu_copies_per_byte>+5%");
  EXPECT_EQ(condition.scope, "totals");
  EXPECT_EQ(condition.figure, "cpu_copies_per_byte");
  EXPECT_EQ(condition.comparison, ">");
  EXPECT_TRUE(condition.of_change && condition.percent);
  EXPECT_EQ(condition.limit, 5);
  condition = parse_condition("process a: b:  zero_copy_share  <=  90%  ");
  EXPECT_EQ(condition.scope, "process a: b");
  EXPECT_EQ(condition.figure, "zero_copy_share");
  EXPECT_FALSE(condition.of_change);
  EXPECT_EQ(condition.limit, 90);
}

TEST(Condition, ReadsScopesWithAnyCharacters) {
  const Condition condition = parse_condition("row io_uring:read file->user: latency_ns.p99>=-2.5");
  EXPECT_EQ(condition.scope, "row io_uring:read file->user");
  EXPECT_EQ(condition.figure, "latency_ns.p99");
  EXPECT_EQ(condition.comparison, ">=");
  EXPECT_TRUE(condition.of_change);
  EXPECT_FALSE(condition.percent);
  EXPECT_EQ(condition.limit, -2.5);
}

TEST(Condition, NamesThePlaceOfAnError) {
  EXPECT_EQ(
      error_of("syscalls"),
      "--fail-if 'syscalls': expected one of >, <, >=, <=, ==, != at column 9, where it ends");
  EXPECT_EQ(error_of("syscalls=5"),
            "--fail-if 'syscalls=5': expected one of >, <, >=, <=, ==, != at column 9, not '=5'");
  EXPECT_EQ(error_of(">5"), "--fail-if '>5': expected the name of a figure at column 1, not '>5'");
  EXPECT_EQ(error_of("syscalls>"),
            "--fail-if 'syscalls>': expected a number at column 10, where it ends");
  EXPECT_EQ(error_of("syscalls>+5%x"),
            "--fail-if 'syscalls>+5%x': expected the end at column 13, not 'x'");
  EXPECT_EQ(error_of("syscalls>nan"),
            "--fail-if 'syscalls>nan': expected a number at column 10, not 'nan'");
  EXPECT_EQ(error_of("syscalls>+-5"),
            "--fail-if 'syscalls>+-5': expected a number at column 11, not '-5'");
  EXPECT_EQ(
      error_of("syscalls>5%"),
      "--fail-if 'syscalls>5%': only a share has a value in percent; for a change give +5% or "
      "-5%");
  EXPECT_EQ(error_of(""), "--fail-if '': expected the name of a figure at column 1, where it ends");
}

TEST(Condition, SuggestsTheFigureAndTheScopeThatWereMeant) {
  const ReportDiff diff = diff_of_runs({make_report()}, {make_report()});
  EXPECT_EQ(unknown("zero_copy_shar>1", diff),
            "--fail-if 'zero_copy_shar>1': totals has no figure 'zero_copy_shar'; did you mean "
            "'zero_copy_share'?");
  EXPECT_EQ(unknown("process servr: syscalls>1", diff),
            "--fail-if 'process servr: syscalls>1': neither report has 'process servr'; did you "
            "mean 'process server'?");
  EXPECT_EQ(unknown("per_gb.syscalls>1", diff), "");
}

TEST(Condition, JudgesTheValueOfBAndTheChange) {
  const ReportDiff diff = diff_of_runs({run_of(100, 1000)}, {run_of(110, 1000)});
  const std::string read = "row read file->user: ";
  EXPECT_TRUE(fails(read + "calls>105", diff));
  EXPECT_FALSE(fails(read + "calls>110", diff));
  EXPECT_TRUE(fails(read + "calls>=110", diff));
  EXPECT_TRUE(fails(read + "calls>+9%", diff));
  EXPECT_FALSE(fails(read + "calls>+10%", diff));
  EXPECT_TRUE(fails(read + "calls>+9", diff));
  EXPECT_FALSE(fails(read + "calls<-5%", diff));
  EXPECT_TRUE(fails(read + "calls!=100", diff));
  EXPECT_TRUE(fails("zero_copy_share<90%", diff));
  EXPECT_FALSE(fails("zero_copy_share<70%", diff));
  EXPECT_EQ(*why_failed(parse_condition(read + "calls>+9%"), diff),
            "'row read file->user: calls>+9%' holds: A has 100 and B 110 (+10%); one sample each, "
            "so it may be chance");
}

TEST(Condition, FailsWhereAFigureIsNotKnown) {
  Report nothing = make_report();
  nothing.processes[0].rows.clear();
  const ReportDiff diff = diff_of_runs({make_report()}, {nothing});
  EXPECT_TRUE(fails("zero_copy_share<90%", diff));
  EXPECT_TRUE(fails("per_gb.syscalls>+5%", diff));
  EXPECT_EQ(*why_failed(parse_condition("zero_copy_share<90%"), diff),
            "'zero_copy_share<90%' cannot be judged: zero_copy_share is not known in B");
}

TEST(Condition, CountsARiseFromZeroAsBeyondAnyShare) {
  Report without = make_report();
  without.processes[0].rows[0].errors = 0;
  Report with = make_report();
  with.processes[0].rows[0].errors = 1;
  const ReportDiff diff = diff_of_runs({without}, {with});
  EXPECT_TRUE(fails("errors>+500%", diff));
  EXPECT_FALSE(fails("errors>+500%", diff_of_runs({without}, {without})));
}

TEST(Condition, LetsAChangePassThatMayBeChance) {
  const auto runs = [](std::uint64_t ns) {
    return std::vector<Report>{run_of(10, 1000, ns), run_of(10, 1000, ns + 900'000),
                               run_of(10, 1000, ns + 400'000)};
  };
  const ReportDiff diff = diff_of_runs(runs(1'000'000), runs(1'200'000));
  EXPECT_FALSE(fails("user_ns>+5%", diff));
  EXPECT_TRUE(fails("user_ns>1000000", diff));  // a value is what it is
}

}  // namespace
}  // namespace zctrace
