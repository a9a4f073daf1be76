// SPDX-License-Identifier: MIT
// The report that is made of counts.
#include <gtest/gtest.h>

#include <string>
#include <unordered_map>

#include "cli/views/mount_view.h"
#include "collector/fuse/report/fuse_report.h"
#include "tests/unit/fuse/sample_report.h"

namespace zctrace::fuse {
namespace {

TEST(FuseReport, RowsShowTheRequestersView) {
  const FuseReport report = sample_report();
  ASSERT_EQ(report.report.processes.size(), 2u);
  const Process& reader = report.report.processes[1];
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
  const Usage usage = usage_of(sample_report().files.at(0).operations);
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

}  // namespace
}  // namespace zctrace::fuse
