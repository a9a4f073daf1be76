// SPDX-License-Identifier: MIT
// What is copied, what stays in the kernel and what counts as delivered, for rows made by hand.
#include "collector/model/report.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kN = 1'000'003;  // a prime, so that sums are not equal by chance

Row moved(std::string syscall, Kind from, Kind to, Copy copy, std::uint64_t bytes,
          std::uint64_t calls = 1) {
  return row(std::move(syscall), from, to, copy, calls, bytes);
}

Row splice(Kind from, Kind to, std::uint64_t bytes) {
  return moved("splice", from, to, Copy::in_kernel, bytes);
}

TEST(Process, WithoutRowsDeliversNothing) {
  const Process process;
  EXPECT_EQ(process.syscalls(), 0u);
  EXPECT_EQ(process.crossings(), 0u);
  EXPECT_EQ(process.delivered_bytes(), 0u);
  EXPECT_EQ(process.zero_copy_bytes(), 0u);
  EXPECT_EQ(process.zero_copy_share(), std::nullopt);
}

TEST(Process, ReadAndWriteCopyTwiceAndDeliverOnce) {
  const Process process =
      process_of({moved("read", Kind::file, Kind::user, Copy::copied, kN, 11),
                  moved("write", Kind::user, Kind::socket, Copy::copied, kN, 10)});
  EXPECT_EQ(process.syscalls(), 21u);
  EXPECT_EQ(process.crossings(), 42u);
  EXPECT_EQ(process.copied_bytes(), 2 * kN);
  EXPECT_EQ(process.in_kernel_bytes(), 0u);
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 0.0);
}

TEST(Process, ReadingAloneDeliversNothing) {
  const Process process = process_of({moved("read", Kind::file, Kind::user, Copy::copied, kN)});
  EXPECT_EQ(process.delivered_bytes(), 0u);
  EXPECT_EQ(process.zero_copy_share(), std::nullopt);
}

TEST(Process, SendfileIsAllZeroCopy) {
  const Process process =
      process_of({moved("sendfile", Kind::file, Kind::socket, Copy::in_kernel, kN)});
  EXPECT_EQ(process.in_kernel_bytes(), kN);
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, AHeaderWrittenBeforeSendfileLowersTheShare) {
  const Process process =
      process_of({moved("writev", Kind::user, Kind::socket, Copy::copied, 250),
                  moved("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 750)});
  EXPECT_EQ(process.delivered_bytes(), 1000u);
  EXPECT_EQ(process.zero_copy_share(), 0.75);
}

TEST(Process, ACloneIsZeroCopyFromFileToFile) {
  const Process process =
      process_of({moved("ioctl:FICLONE", Kind::file, Kind::file, Copy::in_kernel, kN)});
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, ASplicePairDeliversItsBytesOnce) {
  const Process process =
      process_of({splice(Kind::file, Kind::pipe, kN), splice(Kind::pipe, Kind::socket, kN)});
  EXPECT_EQ(process.in_kernel_bytes(), 2 * kN);
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, StandardInputSplicedToASocketIsADelivery) {
  const Process process = process_of({splice(Kind::pipe, Kind::socket, kN)});
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, VmspliceAndSpliceDeliverOnceAndCopyNothing) {
  const Process process = process_of({moved("vmsplice", Kind::user, Kind::pipe, Copy::lent, kN),
                                      splice(Kind::pipe, Kind::socket, kN)});
  EXPECT_EQ(process.copied_bytes(), 0u);
  EXPECT_EQ(process.in_kernel_bytes(), kN);
  EXPECT_EQ(process.delivered_bytes(), kN);
  EXPECT_EQ(process.zero_copy_share(), 1.0);
}

TEST(Process, VmspliceFromAPipeToMemoryIsNotADelivery) {
  const Process process = process_of({moved("vmsplice", Kind::pipe, Kind::user, Copy::lent, kN)});
  EXPECT_EQ(process.delivered_bytes(), 0u);
  EXPECT_EQ(process.zero_copy_share(), std::nullopt);
}

TEST(Process, BytesLeftInPipesAreDeliveredBesideThoseOfItsRows) {
  Process process =
      process_of({splice(Kind::file, Kind::pipe, kN), splice(Kind::pipe, Kind::socket, 600),
                  row("write", Kind::user, Kind::pipe, Copy::copied, 1, 300)});
  process.delivered_to_pipes = 700;
  process.delivered_to_pipes_in_kernel = 400;
  EXPECT_EQ(process.delivered_bytes(), 600u + 700);
  EXPECT_EQ(process.zero_copy_bytes(), 600u + 400);
  process.spliced_from_user = 50;
  EXPECT_EQ(process.zero_copy_bytes(), 550u + 400);
}

TEST(Process, NeitherCopiesFromDevZeroNorDeliversToDevNull) {
  Row zero = row("read", Kind::device, Kind::user, Copy::copied, 1, 5000);
  zero.zeroed_bytes = 3000;
  Row null = row("write", Kind::user, Kind::device, Copy::copied, 1, 700);
  null.discarded_bytes = 200;
  Row spliced = splice(Kind::pipe, Kind::device, 90);
  spliced.discarded_bytes = 90;
  const Process process = process_of({zero, null, spliced});
  EXPECT_EQ(process.copied_bytes(), 2000u + 500);
  EXPECT_EQ(process.in_kernel_bytes(), 0u);
  EXPECT_EQ(process.delivered_bytes(), 500u);
  EXPECT_EQ(process.zero_copy_bytes(), 0u);
}

TEST(Process, IoUringMovesBytesWithoutCrossings) {
  Row read = moved("io_uring:read", Kind::file, Kind::user, Copy::copied, kN, 100);
  read.asynchronous = true;
  const Process process =
      process_of({read, moved("other", Kind::other, Kind::other, Copy::none, 0, 3)});
  EXPECT_EQ(process.syscalls(), 3u);
  EXPECT_EQ(process.crossings(), 6u);
  EXPECT_EQ(process.copied_bytes(), kN);
}

TEST(Process, SwitchesAndOffCpuTimeIncludeWhatHappenedOutsideCalls) {
  Row killed_inside = moved("read", Kind::pipe, Kind::user, Copy::copied, 0, 0);
  killed_inside.voluntary_switches = 2;
  killed_inside.involuntary_switches = 3;
  killed_inside.off_cpu_ns = 50;
  Process process = process_of({killed_inside});
  process.outside_syscalls = {5, 7};
  process.outside_syscalls.off_cpu_ns = 11;
  EXPECT_EQ(process.syscalls(), 0u);
  EXPECT_EQ(process.voluntary_switches(), 7u);
  EXPECT_EQ(process.involuntary_switches(), 10u);
  EXPECT_EQ(process.off_cpu_ns(), 61u);
}

TEST(MergeRows, AddsRowsOfTheSameCallAndFlow) {
  Row a = moved("read", Kind::file, Kind::user, Copy::copied, 10, 1);
  a.errors = 1;
  a.max_ns = 70;
  a.latency.add(4, 1);
  Row b = moved("read", Kind::file, Kind::user, Copy::copied, 20, 2);
  b.restarts = 3;
  b.max_ns = 90;
  b.latency.add(4, 2);
  std::vector<Row> rows{a};
  merge_rows(rows, {b, moved("read", Kind::socket, Kind::user, Copy::copied, 5)});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].calls, 3u);
  EXPECT_EQ(rows[0].bytes, 30u);
  EXPECT_EQ(rows[0].errors, 1u);
  EXPECT_EQ(rows[0].restarts, 3u);
  EXPECT_EQ(rows[0].max_ns, 90u);
  EXPECT_EQ(rows[0].latency.total(), 3u);
  EXPECT_EQ(rows[1].from, Kind::socket);
}

TEST(Totals, OfAnEmptyReportAreZero) {
  const Totals totals = Report{}.totals();
  EXPECT_TRUE(totals.sum.rows.empty());
  EXPECT_EQ(totals.delivered.bytes, 0u);
  EXPECT_EQ(totals.delivered.zero_copy_share(), std::nullopt);
}

TEST(Totals, SumEverythingButThePeakMemory) {
  Process a = process_of({moved("read", Kind::file, Kind::user, Copy::copied, 1)}, 1);
  a.threads = 1;
  a.user_ns = 10;
  a.system_ns = 20;
  a.minor_faults = 3;
  a.major_faults = 1;
  a.max_rss_bytes = 4096;
  a.outside_syscalls = {1, 2};
  Process b = a;
  b.pid = 2;
  b.max_rss_bytes = 8192;
  Report report;
  report.processes = {a, b};
  const Process sum = report.totals().sum;
  EXPECT_EQ(sum.threads, 2u);
  EXPECT_EQ(sum.user_ns, 20u);
  EXPECT_EQ(sum.system_ns, 40u);
  EXPECT_EQ(sum.minor_faults, 6u);
  EXPECT_EQ(sum.major_faults, 2u);
  EXPECT_EQ(sum.max_rss_bytes, 8192u);
  EXPECT_EQ(sum.voluntary_switches(), 2u);
  EXPECT_EQ(sum.involuntary_switches(), 4u);
  ASSERT_EQ(sum.rows.size(), 1u);
  EXPECT_EQ(sum.rows[0].bytes, 2u);
}

TEST(Difference, BytesTakenOutOfAPipeAgainAreDeliveredOnce) {
  Process filled = process_of({splice(Kind::file, Kind::pipe, kN)});
  filled.delivered_to_pipes = filled.delivered_to_pipes_in_kernel = kN;
  const Process drained =
      process_of({splice(Kind::file, Kind::pipe, kN), splice(Kind::pipe, Kind::socket, kN)});
  const Process between = difference(drained, filled);
  EXPECT_EQ(between.in_kernel_bytes(), kN);
  EXPECT_EQ(between.delivered_bytes(), 0u);
  EXPECT_EQ(between.zero_copy_bytes(), 0u);
  const Process nothing = difference(process_of({}), filled);
  EXPECT_EQ(nothing.delivered_bytes(), 0u);
}

TEST(Difference, MarksAMaximumThatTheIntervalDidNotSet) {
  Row first = moved("read", Kind::file, Kind::user, Copy::copied, 1);
  first.max_ns = 1'900;
  first.latency.add(11, 1);  // [1536, 2048)
  Row second = first;
  second.calls += 1;
  second.latency.add(9, 1);  // [768, 1024)
  const auto between = [](const Row& later, const Row& earlier) {
    return difference(process_of({later}), process_of({earlier})).rows.at(0);
  };
  EXPECT_EQ(between(second, first).max_ns, 1'024u);
  EXPECT_TRUE(between(second, first).max_is_bound);
  second.max_ns = 2'000;
  second.latency.add(11, 1);
  EXPECT_EQ(between(second, first).max_ns, 2'000u);
  EXPECT_FALSE(between(second, first).max_is_bound);
}

TEST(MergeRows, KeepTheMarkOfTheLargestMaximum) {
  Row bound = moved("read", Kind::file, Kind::user, Copy::copied, 1);
  bound.max_ns = 90;
  bound.max_is_bound = true;
  Row exact = bound;
  exact.max_is_bound = false;
  const auto merged = [](const Row& a, const Row& b) {
    std::vector<Row> rows{a};
    merge_rows(rows, {b});
    return rows.at(0).max_is_bound;
  };
  EXPECT_FALSE(merged(bound, exact));  // the same value, known to be exact
  EXPECT_FALSE(merged(exact, bound));
  exact.max_ns = 70;
  EXPECT_TRUE(merged(exact, bound));
  EXPECT_TRUE(merged(bound, exact));
}

TEST(Difference, AThreadWhoseNumberAnExecChangedIsStillTheSame) {
  Process before = process_of({splice(Kind::file, Kind::socket, kN)});
  before.account = 3;
  before.tid = 8;
  Process after = process_of({splice(Kind::file, Kind::socket, 3 * kN)});
  after.account = 3;
  after.tid = 7;
  EXPECT_EQ(difference(report_of({after}), report_of({before})).processes.at(0).delivered_bytes(),
            2 * kN);
}

TEST(Difference, TheRestOfACallThatWasHalfCountedComesLater) {
  Row half = moved("read", Kind::file, Kind::user, Copy::copied, kN);
  Row whole = half;
  whole.wall_ns = 5000;
  whole.latency.add(3, 1);
  const Report between =
      difference(report_of({process_of({whole})}), report_of({process_of({half})}));
  ASSERT_EQ(between.processes.size(), 1u);
  EXPECT_EQ(between.processes.at(0).rows.at(0).wall_ns, 5000u);
}

TEST(Completeness, AddsTheReasons) {
  Completeness completeness;
  EXPECT_EQ(completeness.lost_events(), 0u);
  completeness.lost_by_reason = {{"a", 2}, {"b", 0}, {"c", 5}};
  EXPECT_EQ(completeness.lost_events(), 7u);
}

TEST(PerGb, IsPerTenToTheNinth) {
  EXPECT_EQ(per_gb(5, 0), std::nullopt);
  EXPECT_DOUBLE_EQ(*per_gb(5, 1'000'000'000), 5.0);
  EXPECT_DOUBLE_EQ(*per_gb(1, 4'000'000'000), 0.25);
}

TEST(Names, OfEveryKindAndCopy) {
  EXPECT_EQ(kind_name(Kind::user), "user");
  EXPECT_EQ(kind_name(Kind::fuse), "fuse");
  EXPECT_EQ(kind_name(Kind::device), "device");
  EXPECT_EQ(copy_name(Copy::in_kernel), "in_kernel");
  EXPECT_EQ(copy_name(Copy::lent), "lent");
}

TEST(Difference, OfOthersLeavesOutProcessesThatHadEndedBefore) {
  const auto reader = [](std::int64_t pid) {
    return ended(process_of({row("read", Kind::file, Kind::user, Copy::copied, 1, 100)}, pid));
  };
  const Report earlier = report_of({reader(1), reader(2)});
  Report later = report_of({reader(2)});
  later.others.add(reader(1));
  later.others.add(reader(3));
  EXPECT_EQ(difference(later, earlier, true).totals().sum.rows.at(0).calls, 1u);
  // Where `earlier` was the last to know of them, none of these others is one of them.
  EXPECT_EQ(difference(later, earlier).totals().sum.rows.at(0).calls, 2u);
}

}  // namespace
}  // namespace zctrace
