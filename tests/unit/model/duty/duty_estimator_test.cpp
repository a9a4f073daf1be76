// SPDX-License-Identifier: MIT
// From what slices counted of processes to reports of all the time.
#include "collector/model/duty/duty_estimator.h"

#include <gtest/gtest.h>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kSlice = 100'000'000;
constexpr std::uint64_t kGap = 9 * kSlice;

Process writer(std::uint64_t account, std::uint64_t calls) {
  Process process;
  process.account = account;
  process.pid = static_cast<std::int64_t>(100 + account);
  process.start_ns = account;
  process.name = "writer";
  process.user_ns = 7 * calls;
  process.rows = {row("write", Kind::user, Kind::socket, Copy::copied, calls, 1000 * calls)};
  process.rows[0].cpu_copied_bytes = 1000 * calls;
  process.rows[0].errors = calls / 10;
  process.rows[0].errors_by = {{EAGAIN, calls / 10}};
  process.rows[0].voluntary_switches = calls;
  process.outside_syscalls.voluntary = 2 * calls;
  return process;
}

Process only(const DutyEstimator& estimator) {
  const std::vector<Process> processes = estimator.processes();
  EXPECT_EQ(processes.size(), 1u);
  return processes.empty() ? Process() : processes[0];
}

TEST(DutyEstimator, ScalesCountsAndLeavesWhatIsExact) {
  DutyEstimator estimator(0.1);
  estimator.add({writer(1, 10)}, kGap, kSlice);
  estimator.add({writer(1, 20)}, kGap, kSlice);
  const Process process = only(estimator);
  ASSERT_EQ(process.rows.size(), 1u);
  const Row& row = process.rows[0];
  EXPECT_EQ(row.calls, 200u);
  EXPECT_EQ(row.bytes, 200'000u);
  EXPECT_EQ(row.cpu_copied_bytes, 200'000u);
  EXPECT_EQ(row.errors, 20u);
  EXPECT_EQ(row.errors_by, (std::map<unsigned, std::uint64_t>{{EAGAIN, 20}}));
  EXPECT_EQ(row.voluntary_switches, 200u);
  EXPECT_EQ(process.outside_syscalls.voluntary, 400u);
  EXPECT_EQ(process.user_ns, 140u) << "the kernel counts it all the time";
  EXPECT_EQ(process.delivered_bytes(), 200'000u);
  EXPECT_EQ(row.sliced.slices, 2u);
  EXPECT_EQ(process.sliced.slices, 2u);
  EXPECT_EQ(estimator.covered_ns(), 2 * (kGap + kSlice));
  EXPECT_EQ(estimator.duty().observed_ns, 2 * kSlice);
  EXPECT_EQ(estimator.duty().slices, 2u);
  EXPECT_EQ(estimator.duty().share, 0.1);
}

TEST(DutyEstimator, StandsForTheTailOfWhatStillRuns) {
  DutyEstimator estimator(0.1);
  Process other = writer(2, 10);
  other.end_ns = 5;
  estimator.add({writer(1, 10), other}, 0, kSlice);
  estimator.add_tail(kSlice);
  const auto processes = estimator.processes();
  EXPECT_EQ(processes[0].rows[0].calls, 20u);
  EXPECT_EQ(processes[1].rows[0].calls, 10u) << "it had ended";
  EXPECT_EQ(estimator.covered_ns(), 2 * kSlice);
}

TEST(DutyEstimator, KnowsErrorsOfRowsProcessesAndAllTogether) {
  DutyEstimator estimator(0.1);
  std::uint64_t one = 0;
  std::uint64_t other = 0;
  for (unsigned i = 0; i < 40; i++) {
    one += i % 2 == 0 ? 100 : 0;
    other += i % 2 == 0 ? 0 : 100;
    estimator.add({writer(1, one), writer(2, other)}, kGap, kSlice);
  }
  const auto error = [](const Process& process) {
    return sliced_error(process.sliced.syscalls_variance, 20).value_or(0);
  };
  const auto processes = estimator.processes();
  const Row& row = processes[0].rows[0];
  EXPECT_EQ(row.sliced.slices, 20u);
  EXPECT_EQ(sliced_error(row.sliced.calls_variance, 20), error(processes[0]));
  EXPECT_GT(error(processes[0]), processes[0].syscalls() / 5);
  EXPECT_GT(row.sliced.bytes_variance, 1e5 * row.sliced.calls_variance);
  // Together they are steady.
  const Duty duty = estimator.duty();
  EXPECT_EQ(duty.sum.slices, 40u);
  EXPECT_LT(sliced_error(duty.sum.syscalls_variance, 40).value_or(1e9), error(processes[0]) / 10);
}

TEST(DutyEstimator, NeverDecreasesAndForgetsWhatAddsNothingMore) {
  DutyEstimator estimator(0.1);
  Process ended = writer(1, 50);
  ended.end_ns = 9;
  std::uint64_t before = 0;
  const auto grows = [&] {
    const std::uint64_t calls = only(estimator).rows[0].calls;
    EXPECT_GE(calls, before);
    before = calls;
  };
  estimator.add({writer(1, 20)}, kGap, kSlice);
  grows();
  estimator.add({ended}, kGap, kSlice);
  grows();
  estimator.forget_ended();
  grows();  // the gap after it has yet to be added
  estimator.add({}, kGap, kSlice);
  grows();
  // Twenty and thirty in their slices, and in gaps of nine: 20, 25 and 15 for each slice's length.
  EXPECT_EQ(before, 20u + 30u + 9 * (20 + 25 + 15));
  estimator.forget_ended();
  EXPECT_TRUE(estimator.processes().empty());
  EXPECT_EQ(estimator.duty().slices, 3u);
}

TEST(DutyEstimator, AddsUpEndedProcessesBeyondTheMost) {
  DutyEstimator estimator(0.1, 4);
  std::uint64_t calls = 0;
  for (std::uint64_t account = 1; account <= 20; account++) {
    Process process = writer(account, 10);
    process.end_ns = account;
    estimator.add({process}, kGap, kSlice);
  }
  for (int i = 0; i < 2; i++) estimator.add({}, kGap, kSlice);
  EXPECT_LE(estimator.processes().size(), 4u);
  EXPECT_EQ(estimator.processes().size() + estimator.others().processes, 20u);
  for (const Process& process : estimator.processes()) calls += process.syscalls();
  calls += estimator.others().sum.syscalls();
  // Ten in each of twenty slices: the first stands for the gap before it, too.
  EXPECT_EQ(calls, 10u * 10 * 20 + 45);
}

TEST(DutyEstimator, UpdatesWhatIsExactWithoutASlice) {
  DutyEstimator estimator(0.1);
  estimator.add({writer(1, 10)}, kGap, kSlice);
  Process later = writer(1, 10);
  later.user_ns = 999;
  later.end_ns = 77;
  later.outside_syscalls.voluntary = 9999;
  estimator.update({later});
  const Process process = only(estimator);
  EXPECT_EQ(process.user_ns, 999u);
  EXPECT_EQ(process.end_ns, 77u);
  EXPECT_EQ(process.rows[0].calls, 100u);
  EXPECT_EQ(process.outside_syscalls.voluntary, 200u);
}

}  // namespace
}  // namespace zctrace
