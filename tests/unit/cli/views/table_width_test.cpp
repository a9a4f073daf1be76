// SPDX-License-Identifier: MIT
// Which columns stay where a table is narrow.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "cli/views/table_view.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

TEST(TableWidth, KeepsTheVerdictRatherThanZerosAndTimes) {
  Report report = make_report();
  Row& row = report.processes[0].rows[0];
  row.syscall = "copy_file_range";
  row.to = Kind::file;
  row.verdict = Verdict::copied;
  row.cpu_copied_bytes = row.bytes;
  row.off_cpu_ns = 1000;
  const auto titles = [&report](std::size_t width) {
    const std::string table = table_view(report, std::nullopt, {false, false, width});
    EXPECT_TRUE(contains(table, "copied by the kernel")) << table;
    const std::size_t begin = table.find("SYSCALL ");
    return table.substr(begin, table.find('\n', begin) - begin);
  };
  EXPECT_FALSE(contains(titles(80), "ERRORS")) << titles(80);
  EXPECT_TRUE(contains(titles(80), "COPIES")) << titles(80);
  EXPECT_TRUE(contains(titles(100), "TIME")) << titles(100);
  EXPECT_TRUE(contains(titles(120), "OFF-CPU")) << titles(120);
  EXPECT_FALSE(contains(titles(120), "ERRORS")) << titles(120);
  row.errors = 3;
  EXPECT_TRUE(contains(titles(100), "ERRORS")) << titles(100);
}

// COPIES of 0 are the best news that a table has.
TEST(TableWidth, KeepsZerosThatTellSomething) {
  Report report = make_report();
  report.processes[0].rows.resize(1);
  report.processes[0].rows[0].cpu_copied_bytes = 0;
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {false, false, 60}), "COPIES"));
}

}  // namespace
}  // namespace zctrace
