// SPDX-License-Identifier: MIT
// Shares of samples, and how well they are known.
#include "collector/model/cpu_profile.h"

#include <gtest/gtest.h>

#include <set>

#include "collector/model/report.h"

namespace zctrace {
namespace {

CpuProfile profile_of(std::uint64_t copy, std::uint64_t user) {
  CpuProfile profile;
  profile.hz = 997;
  profile.of(CpuClass::copy) = copy;
  profile.of(CpuClass::user) = user;
  return profile;
}

TEST(CpuProfile, WithoutSamplesItHasNeitherSharesNorAMargin) {
  const CpuProfile none;
  EXPECT_FALSE(none.share(CpuClass::copy));
  EXPECT_FALSE(none.margin());
}

TEST(CpuProfile, SharesAddUpToOne) {
  const CpuProfile profile = profile_of(300, 100);
  EXPECT_DOUBLE_EQ(profile.share(CpuClass::copy).value_or(-1), 0.75);
  double sum = 0;
  for (std::size_t i = 0; i < kCpuClasses; i++)
    sum += profile.share(static_cast<CpuClass>(i)).value_or(-1);
  EXPECT_DOUBLE_EQ(sum, 1);
}

TEST(CpuProfile, MarginIsThatOfABinomialDistribution) {
  // 1.96 * sqrt(0.5 * 0.5 / 10000), for so many samples
  EXPECT_NEAR(profile_of(5000, 5000).margin().value_or(-1), 0.0098, 0.0001);
  // One sample says little, and one that agrees with all others is not certain either.
  EXPECT_GT(profile_of(1, 0).margin().value_or(-1), 0.7);
  EXPECT_GT(profile_of(100, 0).margin().value_or(-1), 0.03);
}

TEST(CpuProfile, MarginShrinksWithTheNumberOfSamples) {
  EXPECT_LT(profile_of(4000, 4000).margin(), profile_of(1000, 1000).margin());
}

TEST(CpuProfile, EveryClassHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kCpuClasses; i++)
    names.insert(cpu_class_name(static_cast<CpuClass>(i)));
  EXPECT_EQ(names.size(), kCpuClasses);
}

Report report_with(std::uint64_t in_call, std::uint64_t outside) {
  Report report;
  Process& process = report.processes.emplace_back();
  process.account = 1;
  Row& row = process.rows.emplace_back();
  row.syscall = "read";
  row.cpu = profile_of(in_call, 0);
  process.cpu_outside = profile_of(0, outside);
  return report;
}

TEST(CpuProfile, ProcessHasTheSamplesOfItsRowsAndThoseOutsideCalls) {
  const CpuProfile sum = report_with(7, 3).totals().sum.cpu_profile();
  EXPECT_EQ(sum.of(CpuClass::copy), 7u);
  EXPECT_EQ(sum.of(CpuClass::user), 3u);
  EXPECT_EQ(sum.hz, 997u);
}

TEST(CpuProfile, AnIntervalShowsACallThatOnlyUsedTheCpu) {
  const Report between = difference(report_with(10, 3), report_with(7, 3));
  ASSERT_EQ(between.processes.size(), 1u);
  ASSERT_EQ(between.processes[0].rows.size(), 1u);
  EXPECT_EQ(between.processes[0].rows[0].cpu.total(), 3u);
  EXPECT_EQ(between.processes[0].cpu_outside.total(), 0u);
}

TEST(CpuProfile, AnIntervalShowsAProcessThatOnlyComputed) {
  const Report between = difference(report_with(7, 5), report_with(7, 3));
  ASSERT_EQ(between.processes.size(), 1u);
  EXPECT_EQ(between.processes[0].cpu_outside.total(), 2u);
}

}  // namespace
}  // namespace zctrace
