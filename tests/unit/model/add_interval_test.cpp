// SPDX-License-Identifier: MIT
// Intervals that are put together again make the whole.
#include "collector/model/add_interval.h"

#include <gtest/gtest.h>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

Process reader(std::int64_t pid, std::uint64_t calls) {
  Process process =
      process_of({row("read", Kind::file, Kind::user, Copy::copied, calls, calls * 100)}, pid);
  process.start_ns = 5;
  process.threads = 2;
  process.max_rss_bytes = calls;
  process.user_ns = calls * 7;
  process.rows[0].latency.add(10, calls);
  process.rows[0].max_ns = 1000 + calls;
  return process;
}

TEST(AddInterval, IsTheInverseOfADifference) {
  Report first = report_of({reader(7, 10), reader(8, 3)});
  first.duration_ns = 100;
  first.completeness.lost_by_reason["no_room"] = 1;
  Report second = report_of({reader(7, 25), reader(8, 3), reader(9, 4)});
  second.duration_ns = 50;
  second.completeness.lost_by_reason["no_room"] = 3;
  Report sum = difference(first, Report());
  add_interval(sum, difference(second, first), 1000);
  ASSERT_EQ(sum.processes.size(), 3U);
  EXPECT_EQ(sum.duration_ns, 150U);
  EXPECT_EQ(sum.completeness.lost_events(), 3U);
  EXPECT_EQ(sum.processes[0].rows[0].calls, 25U);
  EXPECT_EQ(sum.processes[0].rows[0].latency.total(), 25U);
  EXPECT_EQ(sum.processes[0].user_ns, 25U * 7);
  EXPECT_EQ(sum.processes[0].threads, 2U);
  EXPECT_EQ(sum.processes[0].max_rss_bytes, 25U);
  EXPECT_EQ(sum.processes[1].rows[0].calls, 3U);
  EXPECT_EQ(sum.totals().sum.rows[0].bytes, 3200U);
}

TEST(AddInterval, AddsUpFlows) {
  const ChannelId file{1, 2, 3};
  const auto with_flow = [&] {
    Report report = report_of({reader(7, 2)});
    report.channels = true;
    report.processes[0].flows = {{file, {}, report.processes[0].rows[0]}};
    return report;
  };
  Report sum = with_flow();
  add_interval(sum, with_flow(), 1000);
  ASSERT_EQ(sum.processes[0].flows.size(), 1U);
  EXPECT_EQ(sum.processes[0].flows[0].row.bytes, 400U);
}

TEST(AddInterval, KeepsApartFewEndedProcesses) {
  Report sum = report_of({ended(reader(1, 5)), reader(2, 1), ended(reader(3, 50))});
  add_interval(sum, report_of({ended(reader(4, 20))}), 2);
  ASSERT_EQ(sum.processes.size(), 3U);
  EXPECT_EQ(sum.processes[0].pid, 2);
  EXPECT_EQ(sum.processes[1].pid, 3);
  EXPECT_EQ(sum.processes[2].pid, 4);
  EXPECT_EQ(sum.others.processes, 1U);
  EXPECT_EQ(sum.others.sum.rows[0].calls, 5U);
  EXPECT_EQ(sum.totals().sum.rows[0].calls, 76U);
}

}  // namespace
}  // namespace zctrace
