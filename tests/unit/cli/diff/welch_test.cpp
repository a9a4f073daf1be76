// SPDX-License-Identifier: MIT
// Welch's test against published values, and what it says of equal groups.
#include "cli/diff/welch.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace zctrace {
namespace {

TEST(Welch, HasTheTailsOfStudentsDistribution) {
  // Critical values that every table of the distribution has.
  EXPECT_NEAR(student_tails(12.7062, 1), 0.05, 1e-6);
  EXPECT_NEAR(student_tails(2.77645, 4), 0.05, 1e-6);
  EXPECT_NEAR(student_tails(2.08596, 20), 0.05, 1e-6);
  EXPECT_NEAR(student_tails(1.95996, 1e7), 0.05, 1e-5);
  EXPECT_DOUBLE_EQ(student_tails(0, 5), 1);
  EXPECT_NEAR(student_tails(-2.77645, 4), 0.05, 1e-6);
}

TEST(Welch, FindsAChangeAndItsInterval) {
  // Means 3 and 8, variances 2.5: t is 5 on 8 degrees of freedom, 2.306 of which are in 95%.
  const auto test = welch_test({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 0);
  ASSERT_TRUE(test);
  EXPECT_DOUBLE_EQ(test->change, 5);
  EXPECT_NEAR(test->by_chance, 0.00105, 1e-5);
  EXPECT_NEAR(test->interval.low, 2.694, 1e-3);
  EXPECT_NEAR(test->interval.high, 7.306, 1e-3);
}

TEST(Welch, SaysNothingOfFewValues) {
  EXPECT_FALSE(welch_test({1, 2}, {3, 4, 5}, 0));
  EXPECT_FALSE(welch_test({}, {}, 0));
}

TEST(Welch, IsCertainWhereNothingVaries) {
  EXPECT_EQ(welch_test({4, 4, 4}, {4, 4, 4}, 0)->by_chance, 1);
  EXPECT_EQ(welch_test({4, 4, 4}, {5, 5, 5}, 0)->by_chance, 0);
  // Whole numbers may be equal by rounding.
  EXPECT_GT(welch_test({4, 4, 4}, {5, 5, 5}, 0.5)->by_chance, 0.05);
  EXPECT_LT(welch_test({4, 4, 4}, {40, 40, 40}, 0.5)->by_chance, 1e-5);
}

TEST(Welch, CallsHardlyEverChangedWhatIsEqual) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(100, 10);
  constexpr int kDifferences = 200;
  constexpr int kFigures = 50;
  int wrong = 0;
  for (int i = 0; i < kDifferences; ++i) {
    std::vector<double> by_chance;
    for (int figure = 0; figure < kFigures; ++figure) {
      std::vector<double> a(5);
      std::vector<double> b(5);
      for (double& value : a) value = noise(random);
      for (double& value : b) value = noise(random);
      by_chance.push_back(welch_test(a, b, 0)->by_chance);
    }
    const auto significant = significant_by_holm(by_chance);
    for (const bool one : significant)
      if (one) {
        ++wrong;
        break;
      }
  }
  EXPECT_LE(wrong, kDifferences / 10);  // 5% are expected
}

TEST(Welch, RejectsOneAfterTheOther) {
  // 0.01 is below 0.05 / 4, and 0.02 is not below 0.05 / 3, so 0.015 is not reached either.
  EXPECT_EQ(significant_by_holm({0.5, 0.01, 0.02, 0.6}),
            (std::vector<bool>{false, true, false, false}));
  EXPECT_EQ(significant_by_holm({0.04}), (std::vector<bool>{true}));
  EXPECT_TRUE(significant_by_holm({}).empty());
}

}  // namespace
}  // namespace zctrace
