// SPDX-License-Identifier: MIT
// CSV reports: one line a row, whatever the names.
#include "cli/views/csv_view.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

TEST(CsvView, HasAHeaderAndALineARow) {
  Report report = make_report();
  report.processes[0].rows.resize(1);
  EXPECT_EQ(csv_view(report),
            "pid,tid,parent_pid,name,syscall,from,to,calls,errors,restarts,bytes,wall_ns,"
            "off_cpu_ns,voluntary_switches,involuntary_switches,p50_ns,p90_ns,p99_ns,max_ns\n"
            "100,,1,server,read,file,user,1000,0,0,10485760,2000000,0,0,0,1768,1953,1995,2000\n");
}

TEST(CsvView, LeavesTimesEmptyWithoutLatency) {
  Report report = make_report();
  report.latency = false;
  report.processes[0].rows.resize(1);
  EXPECT_EQ(lines_of(csv_view(report))[1],
            "100,,1,server,read,file,user,1000,0,0,10485760,,,0,0,,,,");
}

TEST(CsvView, StaysOneLineARecordWithHostileNames) {
  const std::string csv = csv_view(evil_report());
  EXPECT_EQ(lines_of(csv).size(), 9u);
  EXPECT_TRUE(is_harmless(csv));
  EXPECT_TRUE(contains(csv, "\"a\\x1b[31m\\nb|\"\"c\"\",\\xff`<i>\\u202e\\\\\""));
}

}  // namespace
}  // namespace zctrace
