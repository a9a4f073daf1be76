// SPDX-License-Identifier: MIT
// A report of slices of the time (--duty): what JSON and the table say of it, and what is read
// again.
#include <gtest/gtest.h>

#include <string>

#include "cli/reading/json_node.h"
#include "cli/reading/report_reading.h"
#include "cli/views/json_view.h"
#include "cli/views/table_view.h"
#include "collector/os/error.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

Report sliced_report() {
  Report report = report_of(
      {process_of({row("write", Kind::user, Kind::socket, Copy::copied, 4000, 4'000'000)})});
  report.command = "attach";
  report.latency = false;
  report.started_at = "2026-01-02T03:04:05Z";
  report.duration_ns = 20'000'000'000;
  report.unknown = {{"disk_read_bytes", "why"}, {"dirtied_bytes", "why"}};
  report.duty = {
      0.1,
      2'000'000'000,
      20,
      {sliced_variance(400, 19), sliced_variance(400'000, 19), sliced_variance(4'000'000, 19), 19}};
  Process& process = report.processes[0];
  process.sliced = {sliced_variance(300, 18), 0, 0, 18};
  process.rows[0].sliced = {sliced_variance(77, 17), sliced_variance(77'000, 17), 17};
  return report;
}

Report read_again(const nlohmann::ordered_json& json) { return read_report(JsonNode(json)); }

TEST(Duty, IsInJson) {
  const auto json = report_json(sliced_report());
  EXPECT_EQ(json["duty"].dump(), R"({"share":0.1,"observed_ns":2000000000,"slices":20})");
  EXPECT_EQ(json["totals"]["estimate"].dump(),
            R"({"slices":19,"syscalls_error":400,"delivered_bytes_error":400000,)"
            R"("cpu_copied_bytes_error":4000000})");
  const auto& process = json["processes"][0];
  EXPECT_EQ(process["estimate"]["syscalls_error"], 300);
  EXPECT_EQ(process["rows"][0]["estimate"].dump(),
            R"({"slices":17,"calls_error":77,"bytes_error":77000})");
}

TEST(Duty, HasNoErrorOfFewSlices) {
  Report report = sliced_report();
  report.processes[0].rows[0].sliced.slices = kLeastSlices - 1;
  report.duty->sum.slices = kLeastSlices - 1;
  const auto json = report_json(report);
  EXPECT_TRUE(json["processes"][0]["rows"][0]["estimate"]["calls_error"].is_null());
  EXPECT_TRUE(json["totals"]["estimate"]["syscalls_error"].is_null());
  EXPECT_NE(table_view(report, std::nullopt, {}).find("fewer than 16 slices"), std::string::npos);
}

TEST(Duty, IsNotInOtherReports) {
  Report report = sliced_report();
  report.duty.reset();
  const std::string json = report_json(report).dump();
  EXPECT_EQ(json.find("duty"), std::string::npos);
  EXPECT_EQ(json.find("estimate"), std::string::npos);
  EXPECT_EQ(table_view(report, std::nullopt, {}).find("ESTIMATES"), std::string::npos);
}

TEST(Duty, IsReadAsItWasWritten) {
  const auto json = report_json(sliced_report());
  const Report again = read_again(json);
  EXPECT_EQ(report_json(again).dump(), json.dump());
  ASSERT_TRUE(again.duty);
  EXPECT_EQ(again.duty->slices, 20u);
}

TEST(Duty, RefusesAShareThatCannotBe) {
  for (const double share : {0.0, 1.0, -0.5, 17.0}) {
    auto json = report_json(sliced_report());
    json["duty"]["share"] = share;
    EXPECT_THROW(read_again(json), Error) << share;
  }
}

TEST(Duty, IsAboveTheCompletenessOfATable) {
  const std::string table = table_view(sliced_report(), std::nullopt, {});
  EXPECT_NE(table.find("ESTIMATES"), std::string::npos) << table;
  EXPECT_NE(table.find("from 20 slices, 2.00 s of 20.0 s (--duty)"), std::string::npos) << table;
  EXPECT_NE(table.find("syscalls ± 10%"), std::string::npos) << table;
  EXPECT_NE(table.find("delivered ± 10%"), std::string::npos) << table;
  EXPECT_EQ(table.find("nothing left out"), std::string::npos) << table;
}

TEST(Duty, OfAnIntervalIsADifference) {
  Report later = sliced_report();
  later.duty->slices = 50;
  later.duty->sum.slices = 45;
  later.duty->observed_ns = 5'000'000'000;
  later.processes[0].rows[0].calls += 10;
  later.processes[0].rows[0].sliced.slices = 40;
  const Report between = difference(later, sliced_report());
  EXPECT_EQ(between.duty->slices, 30u);
  EXPECT_EQ(between.duty->sum.slices, 26u);
  EXPECT_EQ(between.duty->observed_ns, 3'000'000'000u);
  ASSERT_EQ(between.processes.size(), 1u);
  EXPECT_EQ(between.processes[0].rows[0].sliced.slices, 23u);
}

}  // namespace
}  // namespace zctrace
