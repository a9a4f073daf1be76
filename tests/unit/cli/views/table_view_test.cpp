// SPDX-License-Identifier: MIT
// Tables: golden output, narrow terminals, many processes, hostile names.
#include "cli/views/table_view.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "cli/text/printable.h"
#include "cli/views/json_view.h"
#include "cli/views/report/row_table.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

TEST(TableView, OfOneProcessIsAsExpected) {
  const std::string expected =
      R"(Report on ./server --root '/srv/a b'
exit 0, 1.23 s, pid 100, 1 thread, Linux 6.18.0 x86_64, 2 CPUs
35.2 ms CPU, 120 minor and 0 major faults, peak RSS 2.0 MiB,
1,013 voluntary and 9 involuntary switches

file == 10.0 MiB => user == 10.0 MiB => socket
file == 30.0 MiB =====================> socket  sendfile

SYSCALL        FLOW            CALLS     BYTES  COPIES     TIME  SWITCHES
sendfile       file -> socket     15  30.0 MiB       0  30.0 us   1,010/0
write          user -> socket  1,234  10.0 MiB       1  2.47 ms       0/0
read           file -> user    1,000  10.0 MiB       1  2.00 ms       0/0
other          -                  30         -       -  60.0 us       0/0
outside calls                                                         3/9
total                          2,279                    4.56 ms   1,013/9
hidden for lack of width: ERRORS, AVG/CALL, OFF-CPU, P50, P90, P99, MAX
SWITCHES are voluntary / involuntary context switches

syscalls         2,279 (4,558 crossings into and out of the kernel)
copied           20.0 MiB through user space
in kernel        30.0 MiB
delivered        40.0 MiB
cpu copies       0.50 per delivered byte, 20.0 MiB, by rule
kernel-only      75.0% of it without passing through user space
zero-copy share  75.0% [###############.....]
per GB           too little was delivered to extrapolate (--json has the
                 figures)
completeness     0 events lost, nothing left out
)";
  EXPECT_EQ(table_view(make_report(), std::nullopt, {false, false, 80}), expected);
}

TEST(TableView, OfAnEmptyReportSaysSo) {
  Report report;
  report.command = "attach";
  const std::string table = table_view(report, std::nullopt, {});
  EXPECT_TRUE(contains(table, "no process was observed"));
  EXPECT_TRUE(contains(table, "nothing was delivered"));
  EXPECT_TRUE(contains(table, "0 events lost, nothing left out"));
}

TEST(TableView, OfAttachNamesTheTargetsAndNotTheOptions) {
  Report report;
  report.command = "attach";
  report.argv = {"zctrace", "attach", "-p", "4711", "-i", "1s", "--markdown", "m.md"};
  report.targets = "process 4711";
  const std::string table = table_view(report, std::nullopt, {});
  EXPECT_TRUE(table.starts_with("Report on process 4711\n")) << table;
}

TEST(TableView, KeepsEveryLineInsideTheTerminal) {
  for (const std::size_t width : {40u, 60u, 80u, 120u, 200u}) {
    for (const std::size_t processes : {1u, 2u, 3u, 300u}) {
      for (const std::optional<GroupBy> by :
           {std::optional<GroupBy>(), std::optional(GroupBy::process),
            std::optional(GroupBy::thread), std::optional(GroupBy::syscall),
            std::optional(GroupBy::flow)}) {
        for (const bool unicode : {false, true}) {
          const std::string table = table_view(make_report(processes), by, {false, unicode, width});
          for (const std::string& line : lines_of(table)) {
            EXPECT_LE(display_width(line), width) << line;
          }
          EXPECT_TRUE(by == GroupBy::flow || contains(table, "sendfile"));
        }
      }
    }
  }
}

TEST(TableView, ShowsExactCallsAtFortyColumns) {
  Report report = make_report();
  report.processes[0].rows[0].calls = 1'234'567;
  report.processes[0].rows[0].syscall = "ioctl:FICLONERANGE";
  const std::string table = table_view(report, std::nullopt, {false, false, 40});
  EXPECT_TRUE(contains(table, "1,234,567"));
  EXPECT_TRUE(contains(table, "file>sock"));
  for (const std::string& line : lines_of(table)) EXPECT_LE(line.size(), 40u) << line;
}

TEST(TableView, ShowsMoreColumnsOnAWiderTerminal) {
  const Report report = make_report();
  const std::string narrow = table_view(report, std::nullopt, {false, false, 80});
  const std::string wide = table_view(report, std::nullopt, {false, false, 200});
  EXPECT_FALSE(contains(narrow, "P90 "));
  for (const char* title : {"AVG/CALL", "SWITCHES", "P50", "P90", "P99", "MAX"}) {
    EXPECT_TRUE(contains(wide, title)) << title;
  }
  EXPECT_FALSE(contains(wide, "RESTARTS"));
}

TEST(TableView, ShowsRestartsWhenThereAreAny) {
  Report report = make_report();
  report.processes[0].rows[0].restarts = 4;
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "RESTARTS"));
}

TEST(TableView, HasNoTimesInsideCallsWithoutLatency) {
  Report report = make_report();
  report.latency = false;
  const std::string table = table_view(report, std::nullopt, {});
  for (const char* absent : {"TIME", "OFF-CPU", "P50", "P99", "MAX", "off CPU"}) {
    EXPECT_FALSE(contains(table, absent)) << absent;
  }
  EXPECT_TRUE(contains(table, "35.2 ms CPU"));
}

TEST(TableView, Of300ProcessesShowsTwenty) {
  Report report = make_report(300);
  report.processes[250].rows[2].bytes = 1ULL << 40;
  for (const std::optional<GroupBy> by :
       {std::optional<GroupBy>(), std::optional(GroupBy::process)}) {
    const std::string table = table_view(report, by, {false, false, 120});
    EXPECT_LT(lines_of(table).size(), 55u);
    EXPECT_TRUE(contains(table, "... and 280 more (in --json)"));
    EXPECT_TRUE(contains(table, "300 processes"));
    EXPECT_TRUE(contains(table, "370,200"));  // the writes of all processes, 300 * 1,234
    const std::size_t biggest = table.find("\n350  server");
    ASSERT_NE(biggest, std::string::npos);
    EXPECT_LT(biggest, table.find("\n100  server"));
  }
}

TEST(TableView, ByProcessShowsTheRowsOfAFew) {
  const std::string table = table_view(make_report(2), GroupBy::process, {false, false, 100});
  EXPECT_TRUE(contains(table, "server 100: ./server --root '/srv/a b'\n"));
  EXPECT_TRUE(contains(table, "server 101: "));
  EXPECT_TRUE(contains(table, "all together"));
}

TEST(TableView, ByProcessNamesContainersIfThereAreAny) {
  Report report = make_report(7);
  const auto table = [&report] { return table_view(report, GroupBy::process, {false, true, 200}); };
  report.processes[0].owner.unit = "nginx.service";
  EXPECT_FALSE(contains(table(), "CONTAINER"));
  report.processes[1].owner = {"", std::string(64, 'a'), "", {"web", "nginx-0", "default"}};
  EXPECT_TRUE(contains(table(), "CONTAINER"));
  EXPECT_TRUE(contains(table(), " default/nginx-0/web "));
  report.processes.resize(2);  // each has a title and its rows
  EXPECT_TRUE(contains(table(), "in default/nginx-0/web: "));
}

TEST(TableView, ByThreadNamesTheThreads) {
  Report report = make_report(30);
  for (Process& process : report.processes) {
    process.tid = process.pid + 1000;
    process.pid = 100;
  }
  const std::string table = table_view(report, GroupBy::thread, {false, false, 120});
  EXPECT_TRUE(contains(table, "TID"));
  EXPECT_TRUE(contains(table, "1100"));
  EXPECT_TRUE(contains(table, "30 threads"));
}

TEST(TableView, BySyscallAddsTheFlowsOfOneUp) {
  Report report = make_report();
  report.processes[0].rows.push_back(
      make_row("read", Kind::socket, Kind::user, Copy::copied, 11, 10));
  const std::string table = table_view(report, GroupBy::syscall, {false, false, 100});
  EXPECT_TRUE(contains(table, "1,011"));
  EXPECT_FALSE(contains(table, "FLOW"));
}

TEST(TableView, ByFlowAddsTheSyscallsOfOneUpAndNamesThem) {
  Report report = make_report();
  report.processes[0].rows.push_back(
      make_row("pread64", Kind::file, Kind::user, Copy::copied, 11, 10));
  report.processes[0].rows.push_back(make_row("mmap", Kind::other, Kind::other, Copy::none, 4, 0));
  const std::string table = table_view(report, GroupBy::flow, {false, false, 120});
  EXPECT_TRUE(contains(table, "1,011"));
  EXPECT_TRUE(contains(table, "read, pread64"));
  EXPECT_TRUE(contains(table, "mmap, other"));
  EXPECT_FALSE(contains(table, "SYSCALL"));
}

TEST(TableView, Says100PercentOnlyOfEverything) {
  Report report = make_report();
  report.processes[0].rows = {
      make_row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, 99'999'999)};
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "100.0% [####################]"));
  report.processes[0].rows.push_back(
      make_row("write", Kind::user, Kind::socket, Copy::copied, 1, 1));
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "99.9% [###################.]"));
}

TEST(TableView, DoesNotExtrapolateFromAFewBytes) {
  Report report = make_report();
  report.processes[0].rows = {make_row("write", Kind::user, Kind::pipe, Copy::copied, 1, 3)};
  report.processes[0].delivered_to_pipes = 3;
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "too little was delivered"));
}

TEST(TableView, ShowsARowWithoutACall) {
  Report report = make_report();
  Row killed_inside;
  killed_inside.syscall = "read";
  killed_inside.from = Kind::pipe;
  killed_inside.to = Kind::user;
  killed_inside.copy = Copy::copied;
  killed_inside.voluntary_switches = 1;
  report.processes[0].rows = {killed_inside};
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "pipe -> user      0"));
}

TEST(TableView, NamesEveryLoss) {
  Report report = make_report();
  report.completeness.lost_by_reason = {{"no_room", 12}, {"quiet", 0}, {"too_deep", 1'000}};
  report.completeness.compat_syscalls = 5;
  report.completeness.in_flight_at_end = 2;
  const std::string plain = table_view(report, std::nullopt, {});
  EXPECT_TRUE(contains(
      plain, "completeness     1,012 events lost, 2 calls in flight at the end, 5 32-bit calls\n"));
  EXPECT_TRUE(contains(plain, "LOST             no_room 12, too_deep 1,000"));
  EXPECT_FALSE(contains(plain, "quiet"));
  EXPECT_TRUE(
      contains(table_view(report, std::nullopt, {true, true, 100}), "\x1b[1;31mcompleteness"));
}

TEST(TableView, ExplainsIoUringOperations) {
  Report report = make_report();
  Row read = make_row("io_uring:read", Kind::file, Kind::user, Copy::copied, 500, 1u << 20);
  read.asynchronous = true;
  report.processes[0].rows.push_back(read);
  const std::string table = table_view(report, std::nullopt, {});
  EXPECT_TRUE(contains(table, "of the kernel), operations of io_uring and AIO are not syscalls"));
}

TEST(TableView, HasNoTimesAndNoSwitchesOfOperations) {
  Row read = make_row("io_uring:read", Kind::file, Kind::user, Copy::copied, 500, 1u << 20);
  read.asynchronous = true;
  read.wall_ns = 0;
  read.latency = {};
  const Grid grid = rows_grid(process_of({read}), std::nullopt, {});
  ASSERT_EQ(grid.lines.size(), 1u);
  std::set<std::string> without;
  for (std::size_t i = 0; i < grid.columns.size(); ++i)
    if (grid.lines[0][i].text == "-") without.insert(grid.columns[i].title);
  for (const std::string& title : {std::string("TIME"), std::string("OFF-CPU"), std::string("MAX"),
                                   std::string(kSwitchesTitle)})
    EXPECT_TRUE(without.contains(title)) << title;
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

TEST(TableView, ExplainsOnlyTheColumnsThatItShows) {
  Report report = make_report();
  for (Row& row : report.processes[0].rows) row.off_cpu_ns = 1000;
  const std::string narrow = table_view(report, std::nullopt, {false, false, 80});
  EXPECT_TRUE(contains(narrow, "\nTIME is from entry to return"));
  EXPECT_FALSE(contains(narrow, "\nSWITCHES are"));
  EXPECT_TRUE(
      contains(table_view(report, std::nullopt, {false, false, 120}), "\nSWITCHES are voluntary"));
}

TEST(TableView, DimsRowsWithoutBytes) {
  Report report = make_report();
  report.processes[0].rows = {
      make_row("read", Kind::file, Kind::user, Copy::copied, 10, 1 << 20),
      make_row("mmap", Kind::other, Kind::other, Copy::none, 4, 0),
      make_row("wait", Kind::other, Kind::other, Copy::none, 4, 0),
  };
  const std::string table = table_view(report, std::nullopt, {true, true, 120});
  EXPECT_TRUE(contains(table, "\x1b[2mmmap")) << table;
  EXPECT_TRUE(contains(table, "\x1b[2mwait"));
  EXPECT_FALSE(contains(table, "\x1b[2mread"));
}

TEST(TableView, MarksAMaximumThatIsAnUpperBound) {
  Report report = make_report();
  EXPECT_FALSE(contains(table_view(report, std::nullopt, {}), "upper bound"));
  report.processes[0].rows[0].max_is_bound = true;
  const std::string table = table_view(report, std::nullopt, {});
  EXPECT_TRUE(contains(table, " <=2.00 us\n")) << table;
  EXPECT_TRUE(contains(table, "\na MAX with <= is an upper bound"));
  report.latency = false;
  EXPECT_FALSE(contains(table_view(report, std::nullopt, {}), "upper bound"));
}

TEST(TableView, TellsProcessesOfTheSameNameApartAt80Columns) {
  Report report = make_report(3);
  const char* const commands[] = {"status", "log", "diff"};
  for (std::size_t i = 0; i < 3; ++i) {
    report.processes[i].name = "git";
    report.processes[i].argv = {"git", "-C", "/srv/repository", commands[i]};
  }
  const std::string table = table_view(report, std::nullopt, {false, false, 80});
  for (const char* command : commands)
    EXPECT_TRUE(contains(table, std::string("git -C /srv/repository ") + command)) << table;
}

TEST(TableView, LeavesTheCommandOutFirstWhereNamesDiffer) {
  Report report = make_report(2);
  report.processes[1].name = "other";
  const std::string table = table_view(report, std::nullopt, {false, false, 80});
  EXPECT_TRUE(contains(table, "EXIT\n")) << table;
  EXPECT_TRUE(
      contains(table, "hidden for lack of width: CPU, SYSTEM, FAULTS, RSS, SWITCHES, COMMAND"))
      << table;
}

TEST(TableView, SaysHowManyProcessesMadeNoCall) {
  Report report = make_report(2);
  for (Process& process : report.processes) process.rows.clear();
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}),
                       "\n2 processes observed, none of which completed a syscall\n"));
  report.processes.resize(1);
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}),
                       "\n1 process observed, which did not complete a syscall\n"));
}

TEST(TableView, IsPlainAsciiUnlessToldOtherwise) {
  EXPECT_TRUE(is_ascii(table_view(make_report(300), std::nullopt, {false, false, 40})));
  EXPECT_TRUE(is_harmless(table_view(make_report(3), GroupBy::process, {false, false, 80})));
  EXPECT_TRUE(
      contains(table_view(make_report(), std::nullopt, {true, true, 100}), "file → socket"));
}

TEST(TableView, PassesOnNoEscapeSequence) {
  for (const bool unicode : {false, true}) {
    for (const std::size_t width : {0u, 40u, 80u, 200u}) {
      const std::string table =
          table_view(evil_report(), GroupBy::process, {false, unicode, width});
      EXPECT_TRUE(is_harmless(table)) << table;
      EXPECT_FALSE(contains(table, "\xE2\x80\xAE"));
      EXPECT_EQ(is_ascii(table), !unicode);
    }
  }
}

TableStyle style_in(bool is_terminal, std::size_t columns,
                    const std::map<std::string, std::string>& environment) {
  return table_style(is_terminal, columns, [&environment](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(TableStyle, IsRichOnlyOnAUtf8Terminal) {
  EXPECT_TRUE(style_in(true, 100, {{"LANG", "en_US.UTF-8"}}).colour);
  EXPECT_TRUE(style_in(true, 100, {{"LANG", "C.utf8"}}).unicode);
  EXPECT_FALSE(style_in(true, 100, {{"LANG", "en_US.UTF-8"}, {"LC_ALL", "C"}}).unicode);
  EXPECT_TRUE(style_in(true, 100, {{"LANG", "C.UTF-8"}, {"LC_ALL", ""}}).unicode);
  EXPECT_TRUE(style_in(true, 100, {}).colour);
  EXPECT_FALSE(style_in(true, 100, {{"LANG", "C.UTF-8"}, {"NO_COLOR", "1"}}).colour);
  EXPECT_TRUE(style_in(true, 100, {{"LANG", "C.UTF-8"}, {"NO_COLOR", ""}}).colour);
  EXPECT_FALSE(style_in(true, 100, {{"LANG", "C.UTF-8"}, {"TERM", "dumb"}}).colour);
  EXPECT_FALSE(style_in(false, 100, {{"LANG", "C.UTF-8"}}).unicode);
}

TEST(TableStyle, TakesTheWidthFromTheTerminalThenFromColumns) {
  EXPECT_EQ(style_in(true, 100, {{"COLUMNS", "70"}}).width, 100u);
  EXPECT_EQ(style_in(true, 0, {{"COLUMNS", "70"}}).width, 70u);
  EXPECT_EQ(style_in(true, 0, {{"COLUMNS", "wide"}}).width, 80u);
  EXPECT_EQ(style_in(false, 0, {{"COLUMNS", "70"}}).width, 0u);
}

TEST(GroupByNames, AreThoseOfTheOption) {
  EXPECT_EQ(parse_group_by("process"), GroupBy::process);
  EXPECT_EQ(parse_group_by("thread"), GroupBy::thread);
  EXPECT_EQ(parse_group_by("syscall"), GroupBy::syscall);
  EXPECT_EQ(parse_group_by("flow"), GroupBy::flow);
  EXPECT_EQ(parse_group_by("Flow"), std::nullopt);
}

}  // namespace
}  // namespace zctrace
