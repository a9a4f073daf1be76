// SPDX-License-Identifier: MIT
// Numbers in few characters.
#include "cli/top/compact.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

TEST(Compact, CountsBytesAndTimesFitFiveOrSixCharacters) {
  EXPECT_EQ(compact_count(0), "0");
  EXPECT_EQ(compact_count(0.01), "<0.1");
  EXPECT_EQ(compact_count(0.5), "0.5");
  EXPECT_EQ(compact_count(4.97), "5");
  EXPECT_EQ(compact_count(9.96), "10");
  EXPECT_EQ(compact_count(9999), "9999");
  EXPECT_EQ(compact_count(12'345), "12.3k");
  EXPECT_EQ(compact_count(123'456), "123k");
  EXPECT_EQ(compact_count(999'600), "1.0M");
  EXPECT_EQ(compact_count(1e12), "1.0T");
  EXPECT_EQ(compact_bytes(1023), "1023");
  EXPECT_EQ(compact_bytes(1024), "1.0K");
  EXPECT_EQ(compact_bytes(1023.6 * 1024), "1.0M");
  EXPECT_EQ(compact_bytes(5.5 * 1024 * 1024 * 1024), "5.5G");
  EXPECT_EQ(compact_ns(0), "0");
  EXPECT_EQ(compact_ns(999), "999ns");
  EXPECT_EQ(compact_ns(1000), "1.0us");
  EXPECT_EQ(compact_ns(12'300'000), "12ms");
  EXPECT_EQ(compact_ns(999'900'000), "1.0s");
  EXPECT_EQ(compact_ns(200'000'000'000), "3m20s");
  EXPECT_EQ(compact_ns(18'180'000'000'000), "5h03m");
  EXPECT_EQ(compact_ns(1'000'000'000'000'000), "11d13h");
}

TEST(Compact, SizesHaveAUnit) {
  EXPECT_EQ(compact_size(0), "0 B");
  EXPECT_EQ(compact_size(1023), "1023 B");
  EXPECT_EQ(compact_size(1024), "1.0 KiB");
  EXPECT_EQ(compact_size(214.0 * 1024 * 1024), "214 MiB");
}

TEST(Compact, SharesAreWholeOnlyWhenTheyAre) {
  EXPECT_EQ(compact_share(0), "0%");
  EXPECT_EQ(compact_share(0.004), "<1%");
  EXPECT_EQ(compact_share(0.999), "99%");
  EXPECT_EQ(compact_share(1), "100%");
}

TEST(Compact, SumsAreByTheSecondOfAnIntervalAndSizesAreNot) {
  const CompactNumerals interval(2);
  EXPECT_EQ(interval.count(3), "1.5");
  EXPECT_EQ(interval.bytes(4096), "2.0K");
  EXPECT_EQ(interval.time(1'000'000'000), "50.0");  // percent of one CPU
  EXPECT_EQ(interval.size(4096), "4.0K");
  EXPECT_EQ(interval.duration(2000), "2.0us");
  const CompactNumerals totals;
  EXPECT_EQ(totals.count(3), "3");
  EXPECT_EQ(totals.time(1'000'000'000), "1.0s");
  // The first sample has no interval.
  EXPECT_EQ(CompactNumerals(0).count(3), "3");
}

}  // namespace
}  // namespace zctrace
