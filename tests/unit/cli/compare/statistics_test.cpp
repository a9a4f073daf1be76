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

TEST(MedianInterval, LiesBetweenRanks) {
  const auto interval_of_first = [](int n) {
    std::vector<double> values;
    for (int i = n; i > 0; --i) values.push_back(i);
    return median_interval(values);
  };
  EXPECT_FALSE(interval_of_first(2));
  EXPECT_EQ(interval_of_first(3)->low, 1);
  EXPECT_EQ(interval_of_first(6)->high, 6);
  // The ranks of the tables of the sign test, 95%.
  EXPECT_EQ(interval_of_first(8)->low, 1);
  EXPECT_EQ(interval_of_first(9)->low, 2);
  EXPECT_EQ(interval_of_first(9)->high, 8);
  EXPECT_EQ(interval_of_first(25)->low, 8);
  EXPECT_EQ(interval_of_first(100)->low, 40);
  EXPECT_EQ(interval_of_first(100)->high, 61);
  EXPECT_NEAR(interval_of_first(10'000)->low, 4902, 1);
}

TEST(MedianInterval, HasAMarginThatOneOutlierDoesNotWiden) {
  std::vector<double> values(20, 100);
  values.front() = 1000;
  EXPECT_EQ(relative_margin(values), 0);
  EXPECT_DOUBLE_EQ(*relative_margin({90, 100, 110}), 0.1);
}

}  // namespace
}  // namespace zctrace
