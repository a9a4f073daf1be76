// SPDX-License-Identifier: MIT
// Mean, median and spread.
#include <gtest/gtest.h>

#include "cli/compare/statistics.h"

namespace zctrace {
namespace {

TEST(Statistics, OfAnOddNumberOfValues) {
  const Statistics s = statistics_of({5, 1, 3});
  EXPECT_EQ(s.min, 1);
  EXPECT_EQ(s.max, 5);
  EXPECT_EQ(s.median, 3);
  EXPECT_EQ(s.mean, 3);
  EXPECT_EQ(s.stddev, 2.0);
}

TEST(Statistics, OfOneValueHaveNoSpread) { EXPECT_FALSE(statistics_of({5}).stddev); }

TEST(Statistics, TheMedianOfAnEvenNumberOfValuesLiesBetweenTheMiddleTwo) {
  EXPECT_EQ(statistics_of({4, 1, 2, 100}).median, 3);
}

TEST(Statistics, TheMedianOfNoValuesIsZero) { EXPECT_EQ(median_of({}), 0); }

}  // namespace
}  // namespace zctrace
