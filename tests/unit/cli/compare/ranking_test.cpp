// SPDX-License-Identifier: MIT
// Which rows lead, and when none does.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/compare/ranking.h"
#include "tests/unit/cli/compare/results.h"

namespace zctrace {
namespace {

std::vector<std::string> labels(const Leaders& leaders) {
  std::vector<std::string> names;
  for (const MethodResult* row : leaders.rows) names.push_back(row->label);
  return names;
}

TEST(ClearlyLess, NeedsADifferenceLargerThanBothSpreads) {
  EXPECT_TRUE(clearly_less({10, 11, 12}, {20, 21, 22}));
  EXPECT_FALSE(clearly_less({10, 15, 20}, {16, 21, 26}));
  EXPECT_FALSE(clearly_less({20, 21, 22}, {10, 11, 12}));
}

TEST(ClearlyLess, NeedsThreeValuesOnBothSides) {
  EXPECT_FALSE(clearly_less({1, 1}, {100, 100, 100}));
  EXPECT_FALSE(clearly_less({1, 1, 1}, {100, 100}));
}

TEST(ClearlyLess, IsNotMisledByOneSlowRun) {
  EXPECT_FALSE(clearly_less({10, 10, 10}, {11, 11, 90}));
  EXPECT_TRUE(clearly_less({20, 22, 60}, {200, 400, 1500}));
}

TEST(Ranking, PutsRowsWithinTheSpreadBesideTheFastest) {
  const CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("sendfile", {10, 11, 12}),
                     timed("splice", {10, 12, 13})});
  const Leaders leaders = fastest_rows(compared);
  EXPECT_EQ(labels(leaders), (std::vector<std::string>{"sendfile/64K", "splice/64K"}));
  ASSERT_TRUE(leaders.decided());
  EXPECT_EQ(leaders.next->label, "read_write/64K");
}

TEST(Ranking, IsUndecidedWhenAllRowsAreWithinTheSpread) {
  const CompareResult compared =
      comparison_of({timed("read_write", {10, 14, 18}), timed("splice", {9, 13, 17})});
  EXPECT_FALSE(fastest_rows(compared).decided());
}

TEST(Ranking, RanksNothingAfterOneRun) {
  const CompareResult compared = comparison_of({timed("read_write", {90}), timed("splice", {1})});
  EXPECT_TRUE(fastest_rows(compared).rows.empty());
  EXPECT_TRUE(cheapest_rows(compared).rows.empty());
}

TEST(Ranking, LeavesOutRowsWhoseTimeMeansNothing) {
  MethodResult wrong = timed("tee", {1, 1, 1});
  wrong.verified = false;
  MethodResult failed = timed("vmsplice", {1, 1, 1});
  failed.error = "EIO: read";
  const CompareResult compared = comparison_of(
      {timed("read_write", {90, 91, 92}), timed("splice", {40, 41, 42}),
       timed("mmap_write", {0.01, 0.01, 0.01}), wrong, failed, unsupported("reflink", "EXDEV: x")},
      "null");
  EXPECT_EQ(labels(fastest_rows(compared)), (std::vector<std::string>{"splice/64K"}));
}

// Rows of 12 ms, and what observing made of them.
CompareResult observed(std::vector<double> ms, std::vector<double> runs = {10, 12, 14}) {
  std::vector<MethodResult> rows;
  for (const double observed : ms) {
    rows.push_back(timed("splice", runs));
    rows.back().observed_wall_ns = observed * 1e6;
  }
  return comparison_of(std::move(rows));
}

TEST(CostOfObserving, IsNotMeasurableWithinTheSpread) {
  EXPECT_FALSE(cost_of_observing(observed({13, 13, 13})));
  EXPECT_FALSE(cost_of_observing(observed({5, 5, 5})));  // faster than without: noise
  // On a busy machine the runs differ as much from each other.
  EXPECT_FALSE(cost_of_observing(observed({24, 90, 200}, {10, 12, 90})));
  EXPECT_FALSE(cost_of_observing(observed({13, 90, 90})));
}

TEST(CostOfObserving, HasAnInterval) {
  const auto cost = cost_of_observing(observed({24, 18, 30}));
  ASSERT_TRUE(cost);
  EXPECT_DOUBLE_EQ(cost->added, 1.0);
  EXPECT_DOUBLE_EQ(cost->interval.low, 0.5);
  EXPECT_DOUBLE_EQ(cost->interval.high, 1.5);
  EXPECT_FALSE(cost_of_observing(observed({24, 24})));  // of two rows there is none
}

TEST(CompareResult, KeepsOnlyCompleteRounds) {
  CompareResult compared =
      comparison_of({timed("read_write", {1, 2, 3, 4}), timed("splice", {1, 2, 3})});
  compared.keep_rounds(3);
  for (const MethodResult& row : compared.methods) {
    EXPECT_EQ(row.wall_ns.size(), 3U);
    EXPECT_EQ(row.cpu_ns().size(), 3U);
  }
}

}  // namespace
}  // namespace zctrace
