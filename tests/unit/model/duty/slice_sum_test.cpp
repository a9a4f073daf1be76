// SPDX-License-Identifier: MIT
// From counts of slices to a sum, and to how far it may be from the truth.
#include "collector/model/duty/slice_sum.h"

#include <gtest/gtest.h>

#include <cmath>

#include "collector/model/duty/sliced.h"

namespace zctrace {
namespace {

TEST(SliceSum, StandsForTheGapBeforeTheFirstSliceAndAfterTheLast) {
  SliceSum sum;
  sum.add({900, 100, 0}, 10, 1);
  EXPECT_DOUBLE_EQ(sum.sum(), 100);
  sum.add_tail(50);
  EXPECT_DOUBLE_EQ(sum.sum(), 105);
}

TEST(SliceSum, TakesTheMeanOfBothRatesBetweenTwoSlices) {
  SliceSum sum;
  sum.add({0, 100, 0}, 10, 1);
  sum.add({1000, 100, 100}, 30, 1);
  EXPECT_DOUBLE_EQ(sum.sum(), 10 + 200 + 30);
  sum.add({1000, 100, 100}, 0, 1);
  EXPECT_DOUBLE_EQ(sum.sum(), 240 + 150);
  EXPECT_TRUE(sum.is_still());
}

TEST(SliceSum, NeverFalls) {
  SliceSum sum;
  double before = 0;
  for (const double count : {5.0, 0.0, 9.0, 1.0, 0.0, 0.0, 4.0}) {
    sum.add({700, 100, before == 0 ? 0.0 : 100.0}, count, 1);
    EXPECT_GE(sum.sum(), before);
    before = sum.sum();
  }
}

TEST(SliceSum, KnowsASteadyRateAsWellAsItsSlicesAreCut) {
  SliceSum steady;
  SliceSum changing;
  for (int i = 0; i < 100; i++) {
    const double before = i == 0 ? 0 : 100;
    steady.add({900, 100, before}, 50, 1);
    changing.add({900, 100, before}, i % 2 == 0 ? 100 : 0, 1);
  }
  EXPECT_NEAR(steady.sum(), changing.sum(), 0.02 * steady.sum());
  // A slice stands for ten, and holds one unit more or less.
  EXPECT_NEAR(steady.variance(), 100 * 100 / 6.0, 20);
  EXPECT_GT(std::sqrt(changing.variance()), 0.1 * changing.sum());
}

TEST(SliceSum, TakesASlowChangeForNoVariation) {
  SliceSum sum;
  for (int i = 0; i < 100; i++) sum.add({900, 100, i == 0 ? 0.0 : 100.0}, i, 1);
  EXPECT_NEAR(sum.sum(), 10 * 99 * 100 / 2.0, 500);
  EXPECT_LT(std::sqrt(sum.variance()), 0.01 * sum.sum());
}

TEST(SlicedError, IsNotKnownOfFewSlices) {
  EXPECT_EQ(sliced_error(100, kLeastSlices - 1), std::nullopt);
  ASSERT_TRUE(sliced_error(100, kLeastSlices));
  // Student's 95% for 10 degrees of freedom, 2.228, and a bit.
  EXPECT_NEAR(static_cast<double>(*sliced_error(1e8, 16)),
              1.15 * 2.228 * 1e4 * std::sqrt(16.0 / 15), 60);
  EXPECT_GT(*sliced_error(1e8, 16), *sliced_error(1e8, 100));
  EXPECT_EQ(sliced_error(0, 100), 0u);
  EXPECT_TRUE(sliced_error(1e300, 100));
}

TEST(SlicedError, IsReadAsItWasWritten) {
  for (const std::uint64_t slices : {16u, 17u, 100u, 86'400u})
    for (const std::uint64_t error : {0u, 1u, 76'543u, 4'000'000'000u})
      EXPECT_EQ(sliced_error(sliced_variance(error, slices), slices), error);
  EXPECT_EQ(sliced_variance(5, 3), 0);
}

TEST(SlicedRow, AddsUpErrorsRatherThanSquares) {
  SlicedRow sum{9, 100, 20};
  sum += {16, 0, 30};
  EXPECT_DOUBLE_EQ(sum.calls_variance, 49);
  EXPECT_DOUBLE_EQ(sum.bytes_variance, 100);
  EXPECT_EQ(sum.slices, 20u);
  sum += {0, 0, 0};
  EXPECT_EQ(sum.slices, 20u) << "nothing was seen of it";
  sum -= {40, 200, 5};
  EXPECT_DOUBLE_EQ(sum.calls_variance, 9);
  EXPECT_DOUBLE_EQ(sum.bytes_variance, 0);
  EXPECT_EQ(sum.slices, 15u);
}

}  // namespace
}  // namespace zctrace
