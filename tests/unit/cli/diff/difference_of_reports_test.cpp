// SPDX-License-Identifier: MIT
// Figures of two sides, with and without samples.
#include "cli/diff/difference_of_reports.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/views/compare/compare_view.h"
#include "cli/views/diff/diff_view.h"
#include "collector/os/error.h"
#include "tests/unit/cli/compare/results.h"
#include "tests/unit/cli/diff/sides.h"

namespace zctrace {
namespace {

TEST(Diff, PairsFiguresOfTotalsProcessesAndRows) {
  const ReportDiff diff = diff_of_runs({run_of(10, 1000)}, {run_of(30, 1000)});
  for (const char* scope : {"row read file->user"}) {
    const FigureChange* calls = diff.find(scope, "calls");
    ASSERT_NE(calls, nullptr);
    EXPECT_EQ(calls->a, 10);
    EXPECT_EQ(calls->b, 30);
    EXPECT_EQ(calls->change, 20);
    EXPECT_EQ(calls->relative(), 2);
    EXPECT_TRUE(calls->is_worse());
    EXPECT_FALSE(calls->significant);  // one run each
    EXPECT_FALSE(calls->interval);
  }
  for (const char* scope : {"totals", "process server"})
    EXPECT_EQ(diff.find(scope, "syscalls")->change, 20) << scope;
  EXPECT_EQ(diff.find("totals", "per_gb.syscalls")->change.has_value(), true);
  EXPECT_EQ(diff.find("totals", "nothing"), nullptr);
}

TEST(Diff, CountsWhatOneSideDoesNotHaveAsNothing) {
  Report without = run_of(10, 1000);
  without.processes[0].rows.erase(without.processes[0].rows.begin());
  const ReportDiff diff = diff_of_runs({without}, {run_of(10, 1000)});
  EXPECT_EQ(diff.find("row read file->user", "calls")->a, 0);
  EXPECT_EQ(diff.find("row read file->user", "calls")->b, 10);
  EXPECT_FALSE(diff.find("row read file->user", "latency_ns.p99")->a);
}

TEST(Diff, TellsAChangeFromChance) {
  const auto runs = [](std::uint64_t copied, std::uint64_t user_ns) {
    return std::vector<Report>{run_of(10, copied, user_ns), run_of(10, copied, user_ns + 300'000),
                               run_of(10, copied, user_ns - 200'000),
                               run_of(10, copied, user_ns + 100'000)};
  };
  const ReportDiff diff = diff_of_runs(runs(1000, 2'000'000), runs(50'000, 2'050'000));
  EXPECT_EQ(diff.find("row read file->user", "bytes")->significant, true);
  const FigureChange& time = *diff.find("totals", "user_ns");
  EXPECT_EQ(time.significant, false);
  ASSERT_TRUE(time.interval);
  EXPECT_LT(time.interval->low, 0);
  EXPECT_GT(time.interval->high, 0);
  EXPECT_EQ(diff.find("totals", "errors")->significant, false);
  const std::string table = diff_table(diff, false, {});
  EXPECT_NE(table.find("95% INTERVAL"), std::string::npos) << table;
  EXPECT_EQ(table.find("user_ns"), std::string::npos) << table;
}

TEST(Diff, FindsNothingInEqualRuns) {
  const std::vector<Report> runs = {run_of(10, 1000, 900), run_of(10, 1000, 1000),
                                    run_of(10, 1000, 1100)};
  EXPECT_NE(diff_table(diff_of_runs(runs, runs), false, {}).find("no significant change"),
            std::string::npos);
  EXPECT_NE(diff_table(diff_of_runs({runs[0]}, {runs[2]}), false, {}).find("no change"),
            std::string::npos);
}

TEST(Diff, ListsWhatBecameWorseFirst) {
  Report b = run_of(1000, 40u << 20);
  b.processes[0].rows[2] = make_row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 2, 9);
  const ReportDiff diff = diff_of_runs({make_report()}, {b});
  const auto changes = notable_changes(diff, false);
  ASSERT_FALSE(changes.empty());
  const auto better = std::find_if(changes.begin(), changes.end(),
                                   [](const FigureChange* change) { return !change->is_worse(); });
  EXPECT_TRUE(std::none_of(better, changes.end(),
                           [](const FigureChange* change) { return change->is_worse(); }));
  EXPECT_TRUE(changes.front()->is_worse());
}

TEST(Diff, ComparesObservationsPerSecondByTheirIntervals) {
  const auto interval = [](std::uint64_t calls, std::uint64_t seconds) {
    Report report = run_of(calls, calls * 100);
    report.command = "attach";
    report.duration_ns = seconds * 1'000'000'000;
    return report;
  };
  const SavedFile a = saved_file("a", {interval(100, 1), interval(102, 1), interval(98, 1)});
  const SavedFile b = saved_file("b", {interval(400, 2), interval(402, 2), interval(398, 2)});
  const ReportDiff diff = diff_of(side_of({a}), side_of({b}));
  EXPECT_TRUE(diff.a.per_second);
  EXPECT_EQ(diff.a.samples, 3U);
  const FigureChange& calls = *diff.find("row read file->user", "calls");
  EXPECT_EQ(calls.a, 100);
  EXPECT_EQ(calls.b, 200);
  EXPECT_EQ(calls.significant, true);
}

TEST(Diff, ComparesMethodsByTheirRuns) {
  const auto compared = [](double ms) {
    const CompareResult result =
        comparison_of({timed("read_write", {ms, ms + 1, ms + 2, ms + 1}), timed("splice", {5}, 0)});
    return parse_saved_reports("c", compare_json(result).dump());
  };
  const ReportDiff diff = diff_of(side_of({compared(90)}), side_of({compared(190)}));
  const FigureChange& time = *diff.find("method read_write/64K", "wall_ns");
  EXPECT_EQ(time.change, 100e6);
  EXPECT_EQ(time.significant, true);
  EXPECT_EQ(diff.find("method splice/64K", "wall_ns")->change, 0);
}

TEST(Diff, RefusesSidesThatHaveNothingInCommon) {
  const SavedFile compared =
      parse_saved_reports("c", compare_json(comparison_of({timed("splice", {5})})).dump());
  const SavedFile run = saved_file("r", {make_report()});
  EXPECT_THROW(diff_of(side_of({compared}), side_of({run})), Error);
  EXPECT_THROW(side_of({compared, run}), Error);
}

TEST(Diff, WarnsOfDifferentCommandsAndMachines) {
  Report other = make_report();
  other.argv = {"another"};
  other.host.cpus = 64;
  other.completeness.lost_by_reason["no_room"] = 3;
  const ReportDiff diff = diff_of_runs({make_report()}, {other});
  ASSERT_EQ(diff.warnings.size(), 3U);
  EXPECT_NE(diff.warnings[0].find("another"), std::string::npos);
  EXPECT_NE(diff.warnings[1].find("64 CPUs"), std::string::npos);
  EXPECT_NE(diff.warnings[2].find("B lost 3 events"), std::string::npos);
}

TEST(Diff, KeepsHostileNamesHarmless) {
  Report evil = evil_report();
  evil.processes[0].rows[0].syscall = "read";
  const ReportDiff diff = diff_of_runs({make_report()}, {evil});
  EXPECT_TRUE(is_harmless(diff_table(diff, true, {false, true, 0})));
  EXPECT_TRUE(is_harmless(diff_markdown(diff, true)));
  EXPECT_NO_THROW(diff_json(diff, {kEvil}).dump());
}

}  // namespace
}  // namespace zctrace
