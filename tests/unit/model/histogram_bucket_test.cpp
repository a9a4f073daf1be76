// SPDX-License-Identifier: MIT
// The kernel side finds the bucket of a time without a branch: it must be the one whose bounds the
// model says contain the time.
#include <gtest/gtest.h>
#include <linux/types.h>

#include "bpf/abi.h"
#include "collector/model/histogram.h"

// What bpf_helpers.h defines for the kernel side.
#define barrier_var(variable) asm volatile("" : "+r"(variable))
#include "bpf/histogram.bpf.h"

namespace zctrace {
namespace {

void expect_right_bucket(std::uint64_t ns) {
  const std::uint32_t bucket = zc_bucket(ns);
  ASSERT_LT(bucket, Histogram::kBuckets) << ns;
  EXPECT_GE(ns, Histogram::lower_bound_ns(bucket)) << ns;
  if (bucket + 1 < Histogram::kBuckets) {
    EXPECT_LT(ns, Histogram::upper_bound_ns(bucket)) << ns;
  }
}

TEST(HistogramBucket, ContainsSmallTimes) {
  for (std::uint64_t ns = 0; ns < 100'000; ns++) expect_right_bucket(ns);
}

TEST(HistogramBucket, ContainsTimesAtEveryBound) {
  for (unsigned bit = 0; bit < 64; bit++) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (const std::uint64_t ns : {power - 1, power, power + 1, power + power / 2 - 1,
                                   power + power / 2, power + power / 2 + 1, 2 * power - 1})
      expect_right_bucket(ns);
  }
  expect_right_bucket(~std::uint64_t{0});
}

}  // namespace
}  // namespace zctrace
