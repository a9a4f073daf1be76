// SPDX-License-Identifier: MIT
// The report that is made of counts.
#include <gtest/gtest.h>

#include <string>
#include <unordered_map>
#include <utility>

#include "cli/views/mount/mount_view.h"
#include "collector/fuse/counts/usage.h"
#include "collector/fuse/report/fuse_report.h"
#include "tests/unit/fuse/sample_report.h"

namespace zctrace::fuse {
namespace {

TEST(FuseReport, RowsShowTheRequestersView) {
  const Report report = sample_report();
  ASSERT_EQ(report.processes.size(), 2u);
  const Process& reader = report.processes[1];
  EXPECT_EQ(reader.pid, 42);
  EXPECT_EQ(reader.syscalls(), 0u);  // requests are not syscalls of the reader
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

TEST(FuseReport, UsageShowsTheDaemonsView) {
  const Usage usage = usage_of(sample_report().mount->files.at(0).operations);
  EXPECT_EQ(usage.requests, 5u);
  EXPECT_EQ(usage.bytes_read, 130u);
  EXPECT_EQ(usage.bytes_written, 83u);
  EXPECT_EQ(usage.spliced_bytes, 104u);
  EXPECT_EQ(usage.copied_bytes, 39u);
}

TEST(FuseReport, ProcessesWithoutAnIdentityAreOthers) {
  RequestCounts counts;
  for (ProcessId process = 1; process <= 3; process++)
    counts.add(process, PathTree::kRoot, {Operation::read, 0, 100, BytePath::spliced, 1000});
  counts.list_only({1, 3});
  Report report;
  report.command = "mount";
  report.mount.emplace().cache = "auto";
  fill_report(report, counts.snapshot(), {{1, {}}}, PathTree(10));
  EXPECT_EQ(report.processes.size(), 1u);
  EXPECT_EQ(report.others.processes, 1u);
  EXPECT_EQ(report.others.sum.copied_bytes(), 200u);
  EXPECT_EQ(all_requests(report).at(Operation::read).calls, 3u);
  const auto json = mount_json(report);
  EXPECT_EQ(json["other_processes"]["fuse"]["bytes_read"], 200);
  EXPECT_EQ(json["totals"]["copied_bytes"], 300);
  EXPECT_NE(mount_table(report, {}).find("(1 other)"), std::string::npos);
  EXPECT_NE(mount_csv(report).find("process,,(other processes),read,2,"), std::string::npos);
}

Process process_of(std::int64_t pid, std::uint64_t start_ns) {
  Process process;
  process.pid = pid;
  process.start_ns = start_ns;
  return process;
}

Process requester_of(std::int64_t pid, std::uint64_t start_ns, std::uint64_t reads) {
  Process requester = process_of(pid, start_ns);
  requester.requests[Operation::read].calls = reads;
  return requester;
}

TEST(AddMount, GivesEachProcessItsRequestsAlsoWhenAPidWasReused) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  Report report;
  report.command = "run";
  report.processes = {process_of(7, 5 * kSecond + 123), process_of(7, 9 * kSecond + 456),
                      process_of(8, 5 * kSecond)};
  Report mounted;
  mounted.mount.emplace();
  mounted.processes = {requester_of(0, 0, 1), requester_of(7, 9 * kSecond, 20),
                       requester_of(7, 5 * kSecond, 300)};
  mounted.others.sum.requests[Operation::read].calls = 4000;
  add_mount(report, std::move(mounted), {});
  EXPECT_EQ(report.processes[0].requests.at(Operation::read).calls, 300u);
  EXPECT_EQ(report.processes[1].requests.at(Operation::read).calls, 20u);
  EXPECT_TRUE(report.processes[2].requests.empty());
  ASSERT_EQ(report.mount->other_requesters.size(), 1u);
  EXPECT_EQ(report.mount->other_requesters[0].pid, 0);
  EXPECT_EQ(all_requests(report).at(Operation::read).calls, 4321u);
  const auto json = mount_json(report);
  EXPECT_EQ(json["processes"][0]["fuse"]["requests"], 300);
  EXPECT_EQ(json["processes"][1]["fuse"]["requests"], 20);
  EXPECT_FALSE(json["processes"][2].contains("fuse"));
}

}  // namespace
}  // namespace zctrace::fuse
