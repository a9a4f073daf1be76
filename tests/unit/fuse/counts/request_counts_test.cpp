// SPDX-License-Identifier: MIT
// Sums by process and file, and differences of snapshots.
#include <gtest/gtest.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "collector/fuse/counts/request_counts.h"

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

TEST(RequestCounts, FilesInAnyOrderAreSummedByOperation) {
  constexpr PathTree::Node kFiles = 7;
  constexpr std::uint64_t kRounds = 401;
  RequestCounts counts;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    for (PathTree::Node file = 2; file < 2 + kFiles; ++file) {
      counts.add(1, file, record(Operation::read, file, BytePath::copied, round));
      counts.add(1, 2, record(Operation::write, 1, BytePath::spliced, file, ENOSPC));
    }
  }
  const auto files = counts.snapshot().files;
  EXPECT_EQ(files.size(), std::size_t{kFiles});
  for (PathTree::Node file = 2; file < 2 + kFiles; ++file) {
    const OperationCounts& reads = files.at(file).at(Operation::read);
    EXPECT_EQ(reads.calls, kRounds);
    EXPECT_EQ(reads.copied_bytes, kRounds * file);
    EXPECT_EQ(reads.max_ns, kRounds - 1);
  }
  const OperationCounts& writes = files.at(2).at(Operation::write);
  EXPECT_EQ(writes.errors, kRounds * kFiles);
  EXPECT_EQ(writes.spliced_bytes, kRounds * kFiles);
  EXPECT_EQ(writes.max_ns, std::uint64_t{kFiles} + 1);
}

TEST(RequestCounts, IntervalOmitsEntriesThatDidNotChange) {
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

TEST(RequestCounts, SnapshotsOfManyFilesAndThreadsAreConsistent) {
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

TEST(RequestCounts, LongestOfAnIntervalIsNotFromAnEarlierOne) {
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

TEST(RequestCounts, UnlistedProcessesAreSummedAndCountedOnce) {
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

  counts.list_only({1, 4});  // the late request's process was counted already
  EXPECT_EQ(counts.snapshot().other_processes, 2u);
}

TEST(RequestCounts, LatencyUsesTheBucketsOfHistogram) {
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

}  // namespace
}  // namespace zctrace::fuse
