// SPDX-License-Identifier: MIT
// Counts, their differences, and the report made of them.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "cli/views/mount_view.h"
#include "collector/fuse/counts/path_tree.h"
#include "collector/fuse/counts/request_counts.h"
#include "collector/fuse/report/fuse_report.h"

namespace zctrace::fuse {
namespace {

RequestRecord record(Operation operation, std::uint64_t bytes, BytePath path, std::uint64_t ns,
                     int error = 0) {
  return {operation, error, bytes, path, ns};
}

TEST(RequestCounts, CountsByProcessAndByFile) {
  RequestCounts counts;
  counts.add(1, 5, record(Operation::read, 100, BytePath::spliced, 1000));
  counts.add(1, 6, record(Operation::read, 50, BytePath::copied, 3000));
  counts.add(2, 5, record(Operation::open, 0, BytePath::not_at_all, 10, ENOENT));
  const RequestCountsSnapshot sums = counts.snapshot();
  const TimedCounts& reads = sums.processes.at(1).at(Operation::read);
  EXPECT_EQ(reads.calls, 2u);
  EXPECT_EQ(reads.bytes, 150u);
  EXPECT_EQ(reads.spliced_bytes, 100u);
  EXPECT_EQ(reads.copied_bytes, 50u);
  EXPECT_EQ(reads.wall_ns, 4000u);
  EXPECT_EQ(reads.max_ns, 3000u);
  EXPECT_EQ(reads.latency.total(), 2u);
  EXPECT_EQ(sums.files.at(5).at(Operation::read).bytes, 100u);
  EXPECT_EQ(sums.files.at(5).at(Operation::open).errors, 1u);
}

TEST(RequestCounts, ManyThreadsLoseNothing) {
  RequestCounts counts;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&counts] {
      for (int i = 0; i < 10'000; ++i)
        counts.add(1, 2, record(Operation::write, 3, BytePath::copied, 5));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counts.snapshot().processes.at(1).at(Operation::write).bytes, 240'000u);
}

TEST(RequestCounts, AnIntervalIsADifferenceWithoutWhatDidNotChange) {
  RequestCounts counts;
  counts.add(1, 5, record(Operation::read, 100, BytePath::spliced, 1000));
  const RequestCountsSnapshot before = counts.snapshot();
  counts.add(2, 6, record(Operation::read, 7, BytePath::spliced, 1000));
  RequestCountsSnapshot interval = counts.snapshot();
  interval -= before;
  EXPECT_EQ(interval.processes.size(), 1u);
  EXPECT_EQ(interval.processes.at(2).at(Operation::read).bytes, 7u);
  EXPECT_FALSE(interval.files.contains(5));
}

TEST(RequestCounts, ManyFilesOfManyThreadsAreWholeInEachReading) {
  constexpr PathTree::Node kFiles = 3000;
  RequestCounts counts;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&counts] {
      for (PathTree::Node i = 0; i < 10 * kFiles; ++i)
        counts.add(1, i % kFiles, record(Operation::write, 3, BytePath::copied, 5));
    });
  }
  const auto sum_of_files = [](const RequestCountsSnapshot& reading) {
    std::uint64_t sum = 0;
    for (const auto& [file, operations] : reading.files)
      sum += operations.at(Operation::write).calls;
    return sum;
  };
  for (int i = 0; i < 20; ++i) {
    const RequestCountsSnapshot reading = counts.snapshot();
    const auto process = reading.processes.find(1);
    EXPECT_EQ(sum_of_files(reading),
              process == reading.processes.end() ? 0 : process->second.at(Operation::write).calls);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum_of_files(counts.snapshot()), 40u * kFiles);
}

TEST(RequestCounts, TheLongestOfAnIntervalIsNotThatOfAnEarlierOne) {
  RequestCounts counts;
  counts.add(1, 5, record(Operation::read, 1, BytePath::copied, 1'000'000));
  const RequestCountsSnapshot first = counts.snapshot();
  counts.add(1, 5, record(Operation::read, 1, BytePath::copied, 1000));
  const RequestCountsSnapshot second = counts.snapshot();
  counts.add(1, 5, record(Operation::read, 1, BytePath::copied, 2'000'000));
  RequestCountsSnapshot third = counts.snapshot();
  third -= second;
  EXPECT_EQ(third.processes.at(1).at(Operation::read).max_ns, 2'000'000u);
  RequestCountsSnapshot interval = second;
  interval -= first;
  const std::uint64_t longest = interval.processes.at(1).at(Operation::read).max_ns;
  EXPECT_GE(longest, 1000u);
  EXPECT_LT(longest, 2000u);
}

TEST(RequestCounts, WhoIsNoLongerToldApartIsOneOfTheOthersAndCountsOnce) {
  RequestCounts counts;
  for (ProcessId process = 1; process <= 4; process++)
    counts.add(process, 5, record(Operation::read, 100 * process, BytePath::spliced, 1000));
  const RequestCountsSnapshot before = counts.snapshot();
  counts.add(2, 5, record(Operation::read, 7, BytePath::spliced, 1000));
  counts.list_only({1, 4});
  counts.add(3, 5, record(Operation::write, 11, BytePath::copied, 1000));  // through an old handle
  RequestCountsSnapshot whole = counts.snapshot();
  EXPECT_EQ(whole.other_processes, 2u);
  EXPECT_FALSE(whole.processes.contains(2));
  EXPECT_EQ(whole.processes.at(1).at(Operation::read).bytes, 100u);
  EXPECT_EQ(whole.processes.at(kOtherProcesses).at(Operation::read).bytes, 507u);
  EXPECT_EQ(whole.processes.at(kOtherProcesses).at(Operation::read).latency.total(), 3u);

  RequestCountsSnapshot interval = whole;
  interval -= before;
  EXPECT_EQ(interval.other_processes, 2u);
  EXPECT_EQ(interval.processes.size(), 2u);
  EXPECT_EQ(interval.processes.at(kOtherProcesses).size(), 1u);
  EXPECT_EQ(interval.processes.at(kOtherProcesses).at(Operation::read).bytes, 7u);
  EXPECT_EQ(interval.processes.at(3).at(Operation::write).bytes, 11u);

  whole -= counts.snapshot();
  EXPECT_TRUE(whole.processes.empty());
  EXPECT_EQ(whole.other_processes, 0u);

  counts.list_only({1, 4});  // what came late is of one that was counted already
  EXPECT_EQ(counts.snapshot().other_processes, 2u);
}

TEST(RequestCounts, LatencyLiesInTheBucketsThatTheHistogramDefines) {
  for (const std::uint64_t ns :
       {0ULL, 1ULL, 31ULL, 32ULL, 47ULL, 48ULL, 63ULL, 64ULL, 1'000'000ULL, ~0ULL}) {
    RequestCounts counts;
    counts.add(1, 1, record(Operation::read, 0, BytePath::copied, ns));
    const Histogram latency = counts.snapshot().processes.at(1).at(Operation::read).latency;
    for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
      if (latency.count(bucket) == 0) continue;
      EXPECT_LE(Histogram::lower_bound_ns(bucket), ns);
      EXPECT_GE(Histogram::upper_bound_ns(bucket), ns);
    }
    EXPECT_EQ(latency.total(), 1u);
  }
}

TEST(PathTree, PathsFromTheRoot) {
  PathTree paths(100);
  const auto a = paths.child(PathTree::kRoot, "a");
  const auto file = paths.child(a, "file");
  EXPECT_EQ(paths.path(PathTree::kRoot), ".");
  EXPECT_EQ(paths.path(file), "a/file");
  EXPECT_EQ(paths.child(a, "file"), file);
  EXPECT_NE(paths.child(PathTree::kRoot, "file"), file);
}

TEST(PathTree, WhatComesAfterTheLimitIsOther) {
  PathTree paths(4);
  paths.child(PathTree::kRoot, "a");
  const auto b = paths.child(PathTree::kRoot, "b");
  EXPECT_EQ(paths.child(PathTree::kRoot, "c"), PathTree::kOther);
  EXPECT_EQ(paths.child(PathTree::kOther, "d"), PathTree::kOther);
  EXPECT_EQ(paths.child(PathTree::kRoot, "b"), b);
  EXPECT_EQ(paths.path(PathTree::kOther), "(other files)");
}

TEST(PathTree, ManyNamesStayFindable) {
  PathTree paths(10'000);
  std::vector<PathTree::Node> nodes;
  for (int i = 0; i < 5000; ++i) nodes.push_back(paths.child(PathTree::kRoot, std::to_string(i)));
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(paths.child(PathTree::kRoot, std::to_string(i)), nodes[static_cast<std::size_t>(i)]);
    EXPECT_EQ(paths.path(nodes[static_cast<std::size_t>(i)]), std::to_string(i));
  }
}

FuseReport some_report() {
  RequestCounts counts;
  PathTree paths(100);
  const auto file = paths.child(PathTree::kRoot, "evil\x1b[31m");
  counts.add(1, file, record(Operation::read, 100, BytePath::spliced, 1000));
  counts.add(1, file, record(Operation::mmap, 30, BytePath::copied, 1000));
  counts.add(1, file, record(Operation::write, 9, BytePath::copied, 1000));
  counts.add(0, file, record(Operation::writeback, 4, BytePath::spliced, 1000));
  counts.add(1, file, record(Operation::copy_file_range, 70, BytePath::in_kernel, 1000));
  std::unordered_map<ProcessId, Process> identities = {{0, {}}, {1, {}}};
  identities[1].pid = 42;
  identities[1].name = "reader\n";
  FuseReport report;
  report.report.command = "mount";
  report.cache = "auto";
  fill_report(report, counts.snapshot(), identities, paths);
  return report;
}

TEST(FuseReport, RowsSayWhatTheRequesterDid) {
  const FuseReport report = some_report();
  ASSERT_EQ(report.report.processes.size(), 2u);
  const Process& reader = report.report.processes[1];
  EXPECT_EQ(reader.pid, 42);
  EXPECT_EQ(reader.syscalls(), 0u);  // requests are no syscalls of the reader
  EXPECT_EQ(reader.copied_bytes(), 109u);
  EXPECT_EQ(reader.in_kernel_bytes(), 100u);
  for (const Row& row : reader.rows) {
    if (row.syscall == "fuse:read") {
      EXPECT_EQ(row.from, Kind::fuse);
      EXPECT_EQ(row.to, Kind::user);
      EXPECT_EQ(row.bytes, 100u);
    }
  }
}

TEST(FuseReport, UsageSaysWhatTheDaemonDid) {
  const Usage usage = usage_of(some_report().files.at(0).operations);
  EXPECT_EQ(usage.requests, 5u);
  EXPECT_EQ(usage.bytes_read, 130u);
  EXPECT_EQ(usage.bytes_written, 83u);
  EXPECT_EQ(usage.spliced_bytes, 104u);
  EXPECT_EQ(usage.copied_bytes, 39u);
}

TEST(FuseReport, WhoHasNoIdentityIsOneOfTheOthers) {
  RequestCounts counts;
  for (ProcessId process = 1; process <= 3; process++)
    counts.add(process, PathTree::kRoot, record(Operation::read, 100, BytePath::spliced, 1000));
  counts.list_only({1, 3});
  FuseReport report;
  report.report.command = "mount";
  report.cache = "auto";
  fill_report(report, counts.snapshot(), {{1, {}}}, PathTree(10));
  EXPECT_EQ(report.report.processes.size(), 1u);
  EXPECT_EQ(report.report.others.processes, 1u);
  EXPECT_EQ(report.report.others.sum.copied_bytes(), 200u);
  EXPECT_EQ(all_requests(report).at(Operation::read).calls, 3u);
  const auto json = mount_json(report);
  EXPECT_EQ(json["other_processes"]["fuse"]["bytes_read"], 200);
  EXPECT_EQ(json["totals"]["copied_bytes"], 300);
  EXPECT_NE(mount_table(report, {}).find("(1 other)"), std::string::npos);
  EXPECT_NE(mount_csv(report).find("process,,(other processes),read,2,"), std::string::npos);
}

TEST(MountView, NamesAreSafeAndJsonIsWhole) {
  const FuseReport report = some_report();
  for (const std::string& text :
       {mount_table(report, {}), mount_markdown(report), mount_csv(report)}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
    EXPECT_NE(text.find("evil"), std::string::npos) << text;
  }
  const auto json = mount_json(report);
  EXPECT_EQ(json["files"][0]["bytes_read"], 130);
  EXPECT_EQ(json["files"][0]["operations"]["mmap"]["count"], 1);
  EXPECT_EQ(json["processes"][1]["fuse"]["copied_bytes"], 39);
}

TEST(Operation, EveryOperationHasANameOfItsOwn) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kOperations; ++i) {
    names.push_back(operation_name(static_cast<Operation>(i)));
    EXPECT_FALSE(names.back().empty());
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(names[j], names[i]);
  }
}

}  // namespace
}  // namespace zctrace::fuse
