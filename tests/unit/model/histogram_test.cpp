// SPDX-License-Identifier: MIT
// The latency histogram: bucket borders, and percentiles that never claim too much.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "collector/model/report.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kNoMax = std::numeric_limits<std::uint64_t>::max();

TEST(Histogram, BucketsAreHalfOctavesWithoutGaps) {
  EXPECT_EQ(Histogram::lower_bound_ns(0), 0u);
  EXPECT_EQ(Histogram::upper_bound_ns(0), 48u);
  EXPECT_EQ(Histogram::lower_bound_ns(1), 48u);
  EXPECT_EQ(Histogram::upper_bound_ns(1), 64u);
  EXPECT_EQ(Histogram::lower_bound_ns(2), 64u);
  EXPECT_EQ(Histogram::lower_bound_ns(3), 96u);
  EXPECT_EQ(Histogram::lower_bound_ns(10), 1024u);
  EXPECT_EQ(Histogram::lower_bound_ns(11), 1536u);
  EXPECT_EQ(Histogram::lower_bound_ns(63), (1ULL << 36) + (1ULL << 35));
  EXPECT_EQ(Histogram::upper_bound_ns(63), kNoMax);
  for (std::size_t bucket = 0; bucket + 1 < Histogram::kBuckets; ++bucket) {
    EXPECT_EQ(Histogram::upper_bound_ns(bucket), Histogram::lower_bound_ns(bucket + 1));
    EXPECT_LT(Histogram::lower_bound_ns(bucket), Histogram::upper_bound_ns(bucket));
  }
}

TEST(Histogram, EmptyHasNoPercentile) {
  EXPECT_EQ(Histogram{}.total(), 0u);
  EXPECT_EQ(Histogram{}.percentile_ns(0.5, 100), std::nullopt);
}

TEST(Histogram, EveryPercentileOfOneSampleIsThatSample) {
  Histogram histogram;
  histogram.add(10, 1);  // [1024, 1536)
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    EXPECT_EQ(histogram.percentile_ns(fraction, 1100), 1100u) << fraction;
  }
}

TEST(Histogram, APercentileAtABorderIsTheBorder) {
  Histogram histogram;
  histogram.add(10, 10);  // [1024, 1536)
  histogram.add(11, 10);  // [1536, 2048)
  EXPECT_EQ(histogram.percentile_ns(0.5, 2047), 1536u);
  EXPECT_EQ(histogram.percentile_ns(0.0, 2047), 1024u);
  EXPECT_EQ(histogram.percentile_ns(1.0, 2047), 2047u);
}

TEST(Histogram, InterpolatesInsideABucket) {
  Histogram histogram;
  histogram.add(10, 4);
  EXPECT_EQ(histogram.percentile_ns(0.25, 5000), 1024u + 512 / 4);
  EXPECT_EQ(histogram.percentile_ns(0.5, 5000), 1024u + 512 / 2);
}

TEST(Histogram, SkipsEmptyBuckets) {
  Histogram histogram;
  histogram.add(0, 50);
  histogram.add(40, 50);
  EXPECT_EQ(histogram.percentile_ns(0.5, kNoMax), 48u);
  EXPECT_GE(*histogram.percentile_ns(0.51, kNoMax), Histogram::lower_bound_ns(40));
}

TEST(Histogram, IsNeverAboveTheMaximum) {
  Histogram histogram;
  histogram.add(10, 100);
  for (const double fraction : {0.5, 0.9, 0.99, 1.0}) {
    EXPECT_LE(*histogram.percentile_ns(fraction, 1030), 1030u) << fraction;
    // A maximum below the bucket, from another clock or a shorter window, still wins.
    EXPECT_EQ(*histogram.percentile_ns(fraction, 7), 7u) << fraction;
  }
}

TEST(Histogram, AMaximumFromALongerWindowDoesNotLeaveTheBucket) {
  Histogram histogram;
  histogram.add(10, 1);
  EXPECT_EQ(histogram.percentile_ns(0.99, 1'000'000), 1536u);
}

TEST(Histogram, TheOpenLastBucketEndsAtTheMaximum) {
  Histogram histogram;
  histogram.add(63, 2);
  const std::uint64_t max_ns = 200'000'000'000;
  EXPECT_GT(*histogram.percentile_ns(0.5, max_ns), Histogram::lower_bound_ns(63));
  EXPECT_LT(*histogram.percentile_ns(0.5, max_ns), max_ns);
  EXPECT_EQ(histogram.percentile_ns(1.0, max_ns), max_ns);
}

TEST(Histogram, PercentilesDoNotDecrease) {
  Histogram histogram;
  for (std::size_t bucket = 3; bucket < 40; ++bucket) histogram.add(bucket, bucket * 7 % 11);
  std::uint64_t previous = 0;
  for (int percent = 0; percent <= 100; ++percent) {
    const std::uint64_t ns = *histogram.percentile_ns(percent / 100.0, 90'000'000);
    EXPECT_GE(ns, previous) << percent;
    previous = ns;
  }
}

TEST(Histogram, RoundingOfAFractionDoesNotChangeTheSample) {
  Histogram histogram;  // 0.07 * 100 is 7.000000000000001
  histogram.add(10, 7);
  histogram.add(30, 93);
  EXPECT_EQ(histogram.percentile_ns(0.07, kNoMax), 1536u);
}

TEST(Histogram, AddsAndSubtractsByBucket) {
  Histogram later;
  later.add(3, 5);
  later.add(9, 7);
  Histogram earlier;
  earlier.add(3, 2);
  later -= earlier;
  EXPECT_EQ(later.count(3), 3u);
  EXPECT_EQ(later.count(9), 7u);
  later += earlier;
  EXPECT_EQ(later.count(3), 5u);
  EXPECT_EQ(later.total(), 12u);
}

}  // namespace
}  // namespace zctrace
