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
  EXPECT_EQ(
      csv_view(report),
      "pid,tid,parent_pid,name,syscall,from,to,calls,errors,restarts,bytes,cpu_copied_bytes,"
      "cpu_copied_measured_bytes,uncopied_bytes,uncopied_measured_bytes,disk_read_bytes,"
      "dirtied_bytes,wall_ns,wall_error_ns,off_cpu_ns,"
      "voluntary_switches,involuntary_switches,claimed_bytes,min_ns,mean_ns,p50_ns,p90_ns,"
      "p99_ns,max_ns,protocol,verdict\n"
      "100,,1,server,read,file,user,1000,0,0,10485760,10485760,0,0,0,0,0,2000000,0,0,0,0,0,1600,"
      "2000,1768,1953,1995,2000,,\n");
}

TEST(CsvView, LeavesTimesEmptyWithoutLatency) {
  Report report = make_report();
  report.latency = false;
  report.processes[0].rows.resize(1);
  report.processes[0].rows[0].charges = Charges::unknown;
  EXPECT_EQ(lines_of(csv_view(report))[1],
            "100,,1,server,read,file,user,1000,0,0,10485760,10485760,0,0,0,,,,,,0,0,0,,,,,,,,");
}

TEST(CsvView, LeavesEmptyWhatIsNotMeasuredOfOperations) {
  Report report = make_report();
  Row& read = report.processes[0].rows[0];
  report.processes[0].rows.resize(1);
  read.syscall = "io_uring:read";
  read.asynchronous = true;
  read.charges = Charges::unknown;
  read.wall_ns = 0;
  read.latency = {};
  EXPECT_EQ(
      lines_of(csv_view(report))[1],
      "100,,1,server,io_uring:read,file,user,1000,0,0,10485760,10485760,0,0,0,,,,,,0,0,0,,,,,,,,");
}

TEST(CsvView, StaysOneLineARecordWithHostileNames) {
  const std::string csv = csv_view(evil_report());
  EXPECT_EQ(lines_of(csv).size(), 9u);
  EXPECT_TRUE(is_harmless(csv));
  EXPECT_TRUE(contains(csv, "\"a\\x1b[31m\\nb|\"\"c\"\",\\xff`<i>\\u202e\\\\\""));
}

TEST(CsvView, TakesNoNameForAFormula) {
  for (const char first : std::string("=+-@\t\r")) {
    const std::string name = first + std::string("cmd|'/C calc'!A1");
    const std::string field = csv_field(name);
    EXPECT_TRUE(field == "'" + name || field == "\"'" + name + "\"") << field;
  }
  EXPECT_EQ(csv_field("=1,\"2\""), "\"'=1,\"\"2\"\"\"");
  EXPECT_EQ(csv_field("-"), "'-");
  EXPECT_EQ(csv_field("-1+cmd"), "'-1+cmd");
  // What cannot be a formula stays as it is.
  for (const char* text : {"", "-7", "+1.5e-3", "a=b", "nginx"}) EXPECT_EQ(csv_field(text), text);
}

TEST(CsvView, HasProcessNamesThatAreNoFormulas) {
  Report report = make_report();
  report.processes[0].rows.resize(1);
  for (const char* name : {"=1+1", "+cmd", "-cmd", "@SUM(A1)"}) {
    report.processes[0].name = name;
    EXPECT_TRUE(contains(csv_view(report), ",'" + std::string(name) + ",")) << name;
  }
}

TEST(CsvView, HasALineForEachSyscallOfAllProcessesBySyscall) {
  Report report = selected_report();
  report.processes.push_back(report.processes[0]);
  const auto lines = lines_of(csv_view(report, GroupBy::syscall));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].substr(0, lines[0].find(",errors")), "syscall,calls");
  EXPECT_EQ(lines[1].substr(0, 11), "sendfile,6,");
}

TEST(CsvView, HasALineForEachFlowOfAllProcessesByFlow) {
  const auto lines = lines_of(csv_view(selected_report(), GroupBy::flow));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].starts_with("from,to,calls,"));
  EXPECT_TRUE(lines[0].ends_with(",syscalls"));
  EXPECT_TRUE(lines[1].starts_with("file,socket,3,"));
  EXPECT_TRUE(lines[1].ends_with(",sendfile"));
}

TEST(CsvView, BeginsWithTheTimeOfAnInterval) {
  const auto lines = lines_of(csv_view(selected_report(), std::nullopt, "2026-01-01T00:00:00Z"));
  EXPECT_TRUE(lines[0].starts_with("time,pid,"));
  EXPECT_TRUE(lines[1].starts_with("2026-01-01T00:00:00Z,7,"));
}

}  // namespace
}  // namespace zctrace
