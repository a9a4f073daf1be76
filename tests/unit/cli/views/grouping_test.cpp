// SPDX-License-Identifier: MIT
// What -e and --by change in the views, and what they must not: the figures cover every call.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/metrics.h"
#include "cli/views/prometheus_view.h"
#include "cli/views/table_view.h"
#include "collector/observe/syscall_table.h"

namespace zctrace {
namespace {

Row row_of(const std::string& syscall, Kind from, Kind to, Copy copy, std::uint64_t calls,
           std::uint64_t bytes) {
  Row row;
  row.syscall = syscall;
  row.from = from;
  row.to = to;
  row.copy = copy;
  row.calls = calls;
  row.bytes = bytes;
  return row;
}

// As `-e sendfile` gives it: read and write count, but are not selected.
Report selected_report() {
  Report report;
  report.command = "run";
  report.argv = {"serve"};
  report.exit_code = 0;
  report.selection = "sendfile";
  Process process;
  process.pid = 7;
  process.name = "serve";
  process.exit_code = 0;
  process.rows = {row_of("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 3, 3000),
                  row_of("read", Kind::file, Kind::user, Copy::copied, 5, 1000),
                  row_of("write", Kind::user, Kind::socket, Copy::copied, 7, 1000),
                  row_of("other", Kind::other, Kind::other, Copy::none, 11, 0)};
  process.rows[1].shown = process.rows[2].shown = false;
  report.processes = {process};
  return report;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Selection, AddsTheRowsThatItLeavesOutToOther) {
  const std::vector<Row> rows = shown_rows(selected_report().processes[0].rows);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].syscall, "sendfile");
  EXPECT_EQ(rows[1].syscall, "other");
  EXPECT_EQ(rows[1].calls, 5u + 7u + 11u);
  EXPECT_EQ(rows[1].bytes, 0u);
}

TEST(Selection, LeavesEveryFigureTrue) {
  const auto json = report_json(selected_report());
  EXPECT_EQ(json["totals"]["copied_bytes"], 2000u);
  EXPECT_EQ(json["totals"]["delivered_bytes"], 4000u);
  EXPECT_EQ(json["totals"]["zero_copy_share"], 0.75);
  EXPECT_EQ(json["totals"]["syscalls"], 26u);
  EXPECT_EQ(json["totals"]["rows"].size(), 2u);
  const std::string table = table_view(selected_report(), std::nullopt, {});
  EXPECT_TRUE(contains(table, "75.0%")) << table;
  EXPECT_FALSE(contains(table, "\nread ")) << table;
}

TEST(Selection, LeavesTheExportedShareTrue) {
  Metrics metrics(2000, true);
  metrics.add(selected_report(), OwnerCache(), 0, {});
  double delivered = 0;
  std::size_t series_of_calls = 0;
  for (const auto& family : prometheus_view(metrics, {})) {
    if (family.name == "zctrace_delivered_bytes_total")
      delivered = family.metric.at(0).counter.value;
    if (family.name == "zctrace_syscalls_total") series_of_calls = family.metric.size();
  }
  EXPECT_EQ(delivered, 4000);
  EXPECT_EQ(series_of_calls, 2u);  // sendfile, other
}

TEST(Selection, IsInTheJsonWithTheOtherOptions) {
  Report report = selected_report();
  report.latency = false;
  const auto options = report_json(report, "flow")["options"];
  EXPECT_EQ(options["syscalls"], "sendfile");
  EXPECT_EQ(options["by"], "flow");
  EXPECT_EQ(options["timing"], "none");
  EXPECT_TRUE(report_json(report)["options"]["by"].is_null());
}

TEST(SyscallTable, CountsEveryDataCallWhateverIsSelected) {
  const SyscallTable table("openat");
  for (const char* name : {"read", "sendfile", "io_uring:read", "ioctl:FICLONE", "vmsplice"}) {
    const auto& rows = table.rows();
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [name](const RowMeaning& row) { return row.name == name; });
    ASSERT_NE(found, rows.end()) << name;
    EXPECT_FALSE(found->shown) << name;
  }
}

TEST(SyscallTable, CountsCallsThatWaitInARowOfTheirOwn) {
  const SyscallTable table;
  const auto waits = [](const SyscallTable& of) {
    return std::count_if(of.calls().begin(), of.calls().end(), [&of](const zc_call& call) {
      return of.rows().at(call.row).name == "wait";
    });
  };
  EXPECT_GT(waits(table), 10);
  EXPECT_EQ(waits(SyscallTable("%all")), 0);  // each by its own name
  EXPECT_EQ(waits(SyscallTable("%io,futex")), waits(table) - 1);
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

TEST(MarkdownView, ByProcessShowsTheRowsOfEach) {
  Report report = selected_report();
  report.processes.push_back(report.processes[0]);
  report.processes[1].pid = 8;
  const std::string markdown = markdown_view(report, GroupBy::process);
  EXPECT_TRUE(contains(markdown, "### serve 7\n"));
  EXPECT_TRUE(contains(markdown, "### serve 8\n"));
  EXPECT_TRUE(contains(markdown, "### all together\n"));
}

TEST(TableView, NamesTheSignalThatEndedTheCommand) {
  Report report = selected_report();
  report.exit_code = 137;
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "exit 137"));
  report.processes[0].exit_code = 137;
  report.processes[0].signal = 9;
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "killed by SIGKILL"));
  EXPECT_EQ(report_json(report)["processes"][0]["signal"], "SIGKILL");
}

TEST(TableView, DoesNotColourErrorsOfCallsThatMoveNoBytes) {
  Report report = selected_report();
  report.processes[0].rows[3].errors = 18;
  const std::string red = "\x1b[1;31m";
  EXPECT_FALSE(contains(table_view(report, std::nullopt, {true, true, 120}), red));
  report.processes[0].rows[0].errors = 1;
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {true, true, 120}), red));
}

TEST(TableView, HintsAtTheColumnsThatItHides) {
  const Report report = selected_report();
  EXPECT_TRUE(
      contains(table_view(report, std::nullopt, {false, false, 60}), "hidden for lack of width: "));
  EXPECT_FALSE(contains(table_view(report, std::nullopt, {}), "hidden for lack of width"));
}

TEST(TableView, DoesNotBreakWordsOnAVeryNarrowTerminal) {
  const std::string table = table_view(selected_report(), std::nullopt, {false, false, 20});
  for (const std::string& line : lines_of(table)) EXPECT_LE(display_width(line), 20u) << line;
  EXPECT_TRUE(contains(table, "\ncompleteness\n  0 events lost,"));
}

TEST(TableView, DoesNotSplitACpuTimeOfAFewTicks) {
  Report report = selected_report();
  report.processes[0].system_ns = 34'000'000;
  EXPECT_FALSE(contains(table_view(report, std::nullopt, {}), "in the kernel"));
  report.processes[0].system_ns = 900'000'000;
  report.processes[0].user_ns = 300'000'000;
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "1.20 s CPU (75% in the kernel)"));
}

}  // namespace
}  // namespace zctrace
