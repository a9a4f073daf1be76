// SPDX-License-Identifier: MIT
// Samples from reports made by hand: differences, sums over ended processes, orders, filters.
#include "cli/top/model.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kN = 1'000'003;

Process server(std::int64_t pid, std::uint64_t writes, std::uint64_t sendfiles) {
  Process process;
  process.pid = pid;
  process.start_ns = 5;
  process.name = "server";
  process.argv = {"/usr/sbin/Server-bin", "-x"};
  process.user_ns = writes * 1000;
  process.rows = {
      row("write", Kind::user, Kind::socket, Copy::copied, writes, writes * 10),
      row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, sendfiles, sendfiles * 30)};
  return process;
}

TEST(TopModel, FirstSampleHasTotalsAndNoInterval) {
  TopModel model;
  const auto sample = model.add(report_of({server(7, kN, 2)}), seconds(0));
  EXPECT_EQ(sample->seconds, 0);
  ASSERT_EQ(sample->processes.size(), 1u);
  EXPECT_EQ(sample->processes[0].interval, nullptr);
  EXPECT_EQ(sample->processes[0].interval_figures.syscalls, 0u);
  EXPECT_EQ(sample->processes[0].total_figures.syscalls, kN + 2);
  EXPECT_EQ(sample->total.syscalls, kN + 2);
  EXPECT_EQ(sample->interval.syscalls, 0u);
}

TEST(TopModel, IntervalIsTheDifferenceToTheSampleBefore) {
  TopModel model;
  model.add(report_of({server(7, 100, 3), server(8, 1, 1)}), seconds(0));
  const auto sample = model.add(report_of({server(7, 100 + kN, 5), server(8, 1, 1)}), seconds(2));
  EXPECT_EQ(sample->seconds, 2);
  EXPECT_EQ(sample->total_seconds, 2);
  const TopProcess* busy = sample->find({7, 0, 5});
  ASSERT_NE(busy, nullptr);
  EXPECT_EQ(busy->interval_figures.syscalls, kN + 2);
  EXPECT_EQ(busy->interval_figures.copied_bytes, kN * 10);
  EXPECT_EQ(busy->interval_figures.in_kernel_bytes, 60u);
  EXPECT_EQ(busy->interval_figures.delivered.bytes, kN * 10 + 60);
  EXPECT_EQ(busy->interval_figures.delivered.zero_copy, 60u);
  EXPECT_EQ(busy->interval_figures.cpu_ns, kN * 1000);
  EXPECT_EQ(busy->total_figures.syscalls, 100 + kN + 5);
  // A process that does nothing stays in the list.
  const TopProcess* idle = sample->find({8, 0, 5});
  ASSERT_NE(idle, nullptr);
  EXPECT_EQ(idle->interval, nullptr);
  EXPECT_EQ(idle->interval_figures.syscalls, 0u);
  EXPECT_EQ(sample->interval.syscalls, kN + 2);
  EXPECT_EQ(sample->total.syscalls, 100 + kN + 5 + 2);
}

TEST(TopModel, NewProcessCountsInFull) {
  TopModel model;
  model.add(report_of({}), seconds(0));
  const auto sample = model.add(report_of({server(7, 11, 2)}), seconds(1));
  EXPECT_EQ(sample->processes.at(0).interval_figures.syscalls, 13u);
  EXPECT_EQ(sample->processes.at(0).interval_figures.cpu_ns, 11'000u);
}

TEST(TopModel, SamePidWithAnotherStartIsAnotherProcess) {
  TopModel model;
  model.add(report_of({server(7, kN, 0)}), seconds(0));
  Process next = server(7, 13, 0);
  next.start_ns = 6;
  const auto sample = model.add(report_of({next}), seconds(1));
  EXPECT_EQ(sample->interval.syscalls, 13u);
  EXPECT_EQ(sample->total.syscalls, kN + 13);
}

TEST(TopModel, EndedProcessIsListedOnceMoreAndStaysInTheTotal) {
  TopModel model;
  model.add(report_of({server(7, 10, 0), server(8, 1, 0)}), seconds(0));
  const auto at_end = model.add(report_of({ended(server(7, 23, 0)), server(8, 1, 0)}), seconds(1));
  ASSERT_EQ(at_end->processes.size(), 2u);
  EXPECT_TRUE(at_end->find({7, 0, 5})->ended);
  EXPECT_EQ(at_end->interval.syscalls, 13u);
  const auto after = model.add(report_of({ended(server(7, 23, 0)), server(8, 1, 0)}), seconds(1));
  ASSERT_EQ(after->processes.size(), 1u);
  EXPECT_EQ(after->processes[0].key.pid, 8);
  EXPECT_EQ(after->total.syscalls, 24u);
}

TEST(TopModel, ForgottenProcessStaysInTheTotal) {
  TopModel model;
  model.add(report_of({server(7, 10, 0)}), seconds(0));
  model.add(report_of({ended(server(7, 23, 0))}), seconds(1));
  for (int i = 0; i < 3; i++) {
    const auto after = model.add(report_of({}), seconds(1));
    EXPECT_TRUE(after->processes.empty());
    EXPECT_EQ(after->total.syscalls, 23u);
    EXPECT_EQ(after->interval.syscalls, 0u);
  }
}

TEST(TopModel, SampleOutlivesTheNextOnes) {
  TopModel model;
  const auto old = model.add(report_of({server(7, 10, 0)}), seconds(0));
  for (int i = 0; i < 3; i++) model.add(report_of({server(9, 20, 0)}), seconds(1));
  EXPECT_EQ(old->processes.at(0).total->rows.at(0).calls, 10u);
}

// --- orders -----------------------------------------------------------------------------

class Sorting : public testing::Test {
 protected:
  Sorting() {
    Process copies = server(3, 100, 0);
    copies.name = "b";
    Process sends = server(1, 1, 50);
    sends.name = "c";
    Process idle = server(2, 0, 0);
    idle.name = "a";
    idle.rows.clear();
    sample_ = model_.add(report_of({copies, sends, idle}), seconds(0));
  }

  std::vector<std::int64_t> order(ProcessSort by, bool reversed = false) {
    std::vector<const TopProcess*> processes;
    for (const TopProcess& process : sample_->processes) processes.push_back(&process);
    sort_processes(processes, by, reversed, true);
    std::vector<std::int64_t> pids;
    for (const TopProcess* process : processes) pids.push_back(process->key.pid);
    return pids;
  }

  TopModel model_;
  std::shared_ptr<const TopSample> sample_;
};

using Pids = std::vector<std::int64_t>;

TEST_F(Sorting, NumbersFromTheGreatestDown) {
  EXPECT_EQ(order(ProcessSort::syscalls), (Pids{3, 1, 2}));
  EXPECT_EQ(order(ProcessSort::moved), (Pids{1, 3, 2}));
  EXPECT_EQ(order(ProcessSort::copied), (Pids{3, 1, 2}));
  EXPECT_EQ(order(ProcessSort::in_kernel), (Pids{1, 2, 3}));  // equal ones by pid
  EXPECT_EQ(order(ProcessSort::delivered), (Pids{1, 3, 2}));
  EXPECT_EQ(order(ProcessSort::cpu), (Pids{3, 1, 2}));
  EXPECT_EQ(order(ProcessSort::syscalls, true), (Pids{2, 1, 3}));
}

TEST(SortProcesses, BusyOnesPrecedeIdleOnesThatMoveAsLittle) {
  Process idle = server(1, 0, 0);
  idle.rows.clear();
  Process busy = server(2, 100, 0);
  for (Row& row : busy.rows) row.discarded_bytes = row.bytes;  // into /dev/null
  TopModel model;
  const auto sample = model.add(report_of({idle, busy}), seconds(0));
  std::vector<const TopProcess*> processes = {&sample->processes[0], &sample->processes[1]};
  ASSERT_EQ(processes[1]->total_figures.moved_bytes(), 0U);
  sort_processes(processes, ProcessSort::moved, false, true);
  EXPECT_EQ(processes.front()->key.pid, 2);
  sort_processes(processes, ProcessSort::moved, true, true);
  EXPECT_EQ(processes.front()->key.pid, 1);
}

TEST_F(Sorting, NamesAndPidsUp) {
  EXPECT_EQ(order(ProcessSort::name), (Pids{2, 3, 1}));
  EXPECT_EQ(order(ProcessSort::name, true), (Pids{1, 3, 2}));
  EXPECT_EQ(order(ProcessSort::pid), (Pids{1, 2, 3}));
  EXPECT_EQ(order(ProcessSort::pid, true), (Pids{3, 2, 1}));
}

TEST_F(Sorting, WhatHasNoShareIsLastEitherWay) {
  EXPECT_EQ(order(ProcessSort::zero_copy), (Pids{1, 3, 2}));
  EXPECT_EQ(order(ProcessSort::zero_copy, true), (Pids{3, 1, 2}));
}

TEST(SortRows, ByEachKey) {
  Row write = row("write", Kind::user, Kind::socket, Copy::copied, 10, 500);
  write.wall_ns = 100;
  write.off_cpu_ns = 90;
  write.max_ns = 1000;
  write.latency.add(10, 10);
  Row sendfile = row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 2, 9000);
  sendfile.wall_ns = 100;
  sendfile.max_ns = 1'000'000;
  sendfile.latency.add(30, 2);
  const Row mmap = row("mmap", Kind::other, Kind::other, Copy::none, 99, 0);
  const auto order = [&](RowSort by, bool reversed) {
    std::vector<const Row*> rows{&write, &sendfile, &mmap};
    sort_rows(rows, by, reversed);
    std::string names;
    for (const Row* row : rows) names += row->syscall[0];
    return names;
  };
  EXPECT_EQ(order(RowSort::bytes, false), "swm");
  EXPECT_EQ(order(RowSort::bytes, true), "wsm");
  EXPECT_EQ(order(RowSort::calls, false), "mws");
  EXPECT_EQ(order(RowSort::p50, false), "swm");
  EXPECT_EQ(order(RowSort::p99, true), "wsm");
  EXPECT_EQ(order(RowSort::off_cpu, false), "wsm");
  EXPECT_EQ(order(RowSort::syscall, false), "msw");
  EXPECT_EQ(order(RowSort::syscall, true), "wsm");
}

TEST(OffCpuShare, IsOfTheTimeInsideTheCall) {
  Row row;
  EXPECT_EQ(off_cpu_share(row), std::nullopt);
  row.wall_ns = 200;
  row.off_cpu_ns = 50;
  EXPECT_EQ(off_cpu_share(row), 0.25);
}

TEST(Filter, FitsNameBaseNameAndPid) {
  const Process process = server(4711, 0, 0);
  EXPECT_TRUE(matches_filter(process, ""));
  EXPECT_TRUE(matches_filter(process, "erv"));
  EXPECT_TRUE(matches_filter(process, "SERVER"));
  EXPECT_TRUE(matches_filter(process, "-bin"));
  EXPECT_TRUE(matches_filter(process, "4711"));
  EXPECT_FALSE(matches_filter(process, "471"));
  EXPECT_FALSE(matches_filter(process, "sbin"));  // of the directory
  EXPECT_FALSE(matches_filter(process, "-x"));
}

}  // namespace
}  // namespace zctrace
