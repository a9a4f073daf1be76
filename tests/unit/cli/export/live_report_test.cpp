// SPDX-License-Identifier: MIT
// What `export` shows as a page: since the start, bounded, and without
// command lines, paths and addresses.
#include "cli/export/live_report.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

using std::chrono::seconds;

Process reader(std::uint64_t account, std::uint64_t bytes) {
  Process process = process_of({row("read", Kind::file, Kind::user, Copy::copied, 10, bytes),
                                row("write", Kind::user, Kind::socket, Copy::copied, 10, bytes)},
                               static_cast<std::int64_t>(account));
  process.account = account;
  process.name = "reader";
  process.argv = {"reader", "--password", "secret"};
  return process;
}

// Readings one second apart, with the processes of each.
nlohmann::ordered_json after(const std::vector<std::vector<Process>>& readings) {
  LiveReport live;
  Report earlier;
  LiveReport::Clock::time_point now{};
  for (const std::vector<Process>& processes : readings) {
    const Report latest = report_of(processes);
    live.add(earlier, latest, now, "2026-11-29T10:00:00.000Z");
    earlier = latest;
    now += seconds(1);
  }
  return live.json(earlier, [](Report& report) { report.duration_ns = 5; });
}

TEST(LiveReport, KeepsTheCountsOfProcessesThatEnded) {
  const auto json =
      after({{reader(1, 100), reader(2, 7)}, {reader(1, 150), reader(2, 7)}, {reader(2, 9)}});
  EXPECT_EQ(json["command"], "export");
  EXPECT_EQ(json["duration_ns"], 5);
  EXPECT_EQ(json["processes"].size(), 1u);
  EXPECT_EQ(json["other_processes"]["count"], 1);
  EXPECT_EQ(json["other_processes"]["delivered_bytes"], 150);
  EXPECT_EQ(json["totals"]["delivered_bytes"], 159);
}

TEST(LiveReport, TellsWhatHappenedInEachInterval) {
  const auto json =
      after({{reader(1, 100)}, {reader(1, 150), reader(2, 5)}, {reader(2, 5)}, {reader(2, 8)}});
  std::vector<std::uint64_t> delivered;
  for (const auto& interval : json["intervals"]) {
    EXPECT_EQ(interval["duration_ns"], 1'000'000'000);
    delivered.push_back(interval["totals"]["delivered_bytes"]);
  }
  EXPECT_EQ(delivered, (std::vector<std::uint64_t>{55, 0, 3}));
}

TEST(LiveReport, IsBounded) {
  std::vector<Process> many;
  for (std::uint64_t i = 1; i <= 1000; ++i) many.push_back(reader(i, i));
  const auto json = after(std::vector<std::vector<Process>>(130, many));
  EXPECT_EQ(json["intervals"].size(), LiveReport::kMostIntervals);
  EXPECT_EQ(json["processes"].size(), LiveReport::kMostProcesses);
  EXPECT_EQ(json["processes"][0]["pid"], 1000);
  EXPECT_EQ(json["other_processes"]["count"], 1000 - LiveReport::kMostProcesses);
  EXPECT_EQ(json["totals"]["delivered_bytes"], 1000 * 1001 / 2);
}

TEST(LiveReport, HasNoCommandLinesAndNoFiles) {
  Process process = reader(1, 100);
  process.flows.push_back({{1, 2, 3}, {}, process.rows[0]});
  const auto json = after({{process}});
  EXPECT_EQ(json.dump().find("secret"), std::string::npos);
  EXPECT_TRUE(json["processes"][0]["argv"].empty());
  EXPECT_FALSE(json.contains("files"));
  EXPECT_FALSE(json.contains("flows"));
}

TEST(LiveReport, ReadingsInQuickSuccessionAreOneInterval) {
  LiveReport live;
  const Report report = report_of({reader(1, 1)});
  LiveReport::Clock::time_point now{};
  for (int i = 0; i < 100; ++i, now += std::chrono::milliseconds(100))
    live.add(report, report, now, "");
  EXPECT_EQ(live.json(report, [](Report&) {})["intervals"].size(), 9u);
}

}  // namespace
}  // namespace zctrace
