// SPDX-License-Identifier: MIT
// Figures of two sides, with and without samples.
#include "cli/diff/difference_of_reports.h"

#include <fmt/format.h>
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

TEST(Diff, TellsTimesOnlyOfRunsThatTookTurns) {
  const auto runs = [](std::vector<int> minutes, std::uint64_t user_ns, std::uint64_t calls) {
    std::vector<Report> reports;
    for (const int minute : minutes) {
      reports.push_back(run_of(calls, 1000, user_ns + static_cast<std::uint64_t>(minute)));
      reports.back().started_at = fmt::format("2026-11-29T10:{:02}:00.000Z", minute);
    }
    return reports;
  };
  const auto in_turn = diff_of_runs(runs({1, 3, 5}, 1'000'000, 10), runs({2, 4, 6}, 2'000'000, 20));
  EXPECT_EQ(in_turn.find("totals", "user_ns")->significant, true);
  const auto blocks = diff_of_runs(runs({1, 2, 3}, 1'000'000, 10), runs({4, 5, 6}, 2'000'000, 20));
  EXPECT_EQ(blocks.find("totals", "user_ns")->significant, std::nullopt);
  EXPECT_TRUE(blocks.find("totals", "user_ns")->interval);
  EXPECT_EQ(blocks.find("row read file->user", "calls")->significant, true);
  for (const FigureChange* change : notable_changes(blocks, false))
    EXPECT_FALSE(varies_by_itself(change->name)) << change->name;
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

// A report of one peer to which `bytes` were sent.
Report sent_to(const ChannelName& name, std::uint64_t inode, std::uint64_t bytes) {
  Report report = make_report();
  report.channels = true;
  const ChannelId peer{inode, 9, 0};
  report.channel_names[peer] = name;
  Row row = make_row("write", Kind::user, Kind::socket, Copy::copied, 1, bytes);
  row.protocol = name.protocol;
  report.processes[0].rows = {row};
  report.processes[0].flows = {{{}, peer, row}};
  return report;
}

ChannelName socket_name(Protocol protocol, SocketEnd local, SocketEnd remote, bool bound) {
  ChannelName name;
  name.kind = Kind::socket;
  name.protocol = protocol;
  name.local = std::move(local);
  name.remote = std::move(remote);
  name.bound = bound;
  return name;
}

TEST(Diff, NamesPeersAlikeInEveryRun) {
  const auto named = [](const ChannelName& a, const ChannelName& b) {
    return diff_of_runs({sent_to(a, 77, 100)}, {sent_to(b, 78, 300)});
  };
  // The kernel chose the port of the client.
  const auto client = [](std::uint32_t port) {
    return socket_name(Protocol::tcp, {"10.0.0.1:" + std::to_string(port), port},
                       {"10.0.0.7:5432", 5432}, false);
  };
  const ReportDiff service = named(client(51234), client(60001));
  ASSERT_TRUE(service.find("peer tcp 10.0.0.7:5432", "sent_bytes"));
  EXPECT_EQ(service.find("peer tcp 10.0.0.7:5432", "sent_bytes")->change, 200);
  const auto served = [](std::uint32_t port) {
    return socket_name(Protocol::tcp, {"[::1]:80", 80}, {"[::1]:" + std::to_string(port), port},
                       true);
  };
  const ReportDiff clients = named(served(51234), served(60001));
  ASSERT_TRUE(clients.find("peer tcp [::1]", "sent_bytes"));
  EXPECT_EQ(clients.find("peer tcp [::1]", "sent_bytes")->change, 200);
  EXPECT_EQ(clients.find("port tcp 80", "sent_bytes")->change, 200);
  const ChannelName unix_name = socket_name(Protocol::unix_socket, {}, {"/run/x.sock", 0}, false);
  EXPECT_EQ(named(unix_name, unix_name).find("peer unix /run/x.sock", "sent_bytes")->change, 200);
  const ChannelName nameless = socket_name(Protocol::unix_socket, {}, {}, false);
  const ReportDiff none = named(nameless, nameless);
  EXPECT_TRUE(std::none_of(none.figures.begin(), none.figures.end(),
                           [](const FigureChange& one) { return one.scope.starts_with("peer"); }));
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
