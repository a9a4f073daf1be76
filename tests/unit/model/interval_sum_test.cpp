// SPDX-License-Identifier: MIT
// Intervals added up again.
#include "collector/model/interval_sum.h"

#include <gtest/gtest.h>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

Process reader(std::uint64_t account, std::uint64_t calls, std::uint64_t bytes) {
  Process process = process_of({row("read", Kind::file, Kind::user, Copy::copied, calls, bytes)},
                               static_cast<std::int64_t>(account));
  process.account = account;
  process.threads = 2;
  process.user_ns = 10;
  return process;
}

Report interval_of(std::vector<Process> processes, const char* started_at = "a") {
  Report report = report_of(std::move(processes));
  report.started_at = started_at;
  report.duration_ns = 1000;
  report.completeness.lost_by_reason["busy"] = 1;
  report.completeness.in_flight_at_end = 3;
  return report;
}

TEST(IntervalSum, AddsUpEachProcess) {
  IntervalSum sum(10);
  EXPECT_TRUE(sum.empty());
  sum.add(interval_of({reader(1, 5, 500), reader(2, 1, 1)}, "first"));
  Process later = ended(reader(1, 7, 700));
  later.name = "renamed";
  sum.add(interval_of({later}, "second"));
  const Report whole = sum.whole();
  EXPECT_EQ(whole.started_at, "first");
  EXPECT_EQ(whole.duration_ns, 2000u);
  EXPECT_EQ(whole.completeness.lost_events(), 2u);
  EXPECT_EQ(whole.completeness.in_flight_at_end, 3u);
  ASSERT_EQ(whole.processes.size(), 2u);
  const Process& first = whole.processes[0];
  EXPECT_EQ(first.pid, 1);
  EXPECT_EQ(first.name, "renamed");
  EXPECT_TRUE(first.end_ns);
  EXPECT_EQ(first.threads, 2u);
  EXPECT_EQ(first.user_ns, 20u);
  ASSERT_EQ(first.rows.size(), 1u);
  EXPECT_EQ(first.rows[0].calls, 12u);
  EXPECT_EQ(first.rows[0].bytes, 1200u);
  ASSERT_EQ(sum.intervals().size(), 2u);
  EXPECT_EQ(sum.intervals()[1].started_at, "second");
  EXPECT_EQ(sum.intervals()[1].totals.sum.rows[0].bytes, 700u);
}

TEST(IntervalSum, SumsEndedProcessesThatAreTooMany) {
  IntervalSum sum(2);
  for (std::uint64_t account = 1; account <= 5; ++account)
    sum.add(interval_of({ended(reader(account, 1, account * 100))}));
  const Report whole = sum.whole();
  ASSERT_EQ(whole.processes.size(), 2u);
  EXPECT_EQ(whole.processes[0].pid, 4);
  EXPECT_EQ(whole.processes[1].pid, 5);
  EXPECT_EQ(whole.others.processes, 3u);
  EXPECT_EQ(whole.totals().sum.rows[0].bytes, 1500u);
}

TEST(IntervalSum, JoinsNeighboursWhenThereAreManyIntervals) {
  IntervalSum sum(10);
  constexpr std::uint64_t kIntervals = 5003;
  for (std::uint64_t i = 0; i < kIntervals; ++i) sum.add(interval_of({reader(1, 1, 7)}));
  EXPECT_LE(sum.intervals().size(), 1000u);
  std::uint64_t bytes = 0;
  std::uint64_t duration_ns = 0;
  for (const IntervalTotals& interval : sum.intervals()) {
    bytes += interval.totals.sum.rows[0].bytes;
    duration_ns += interval.duration_ns;
  }
  EXPECT_EQ(bytes, kIntervals * 7);
  EXPECT_EQ(duration_ns, kIntervals * 1000);
  EXPECT_EQ(sum.whole().totals().sum.rows[0].calls, kIntervals);
}

}  // namespace
}  // namespace zctrace
