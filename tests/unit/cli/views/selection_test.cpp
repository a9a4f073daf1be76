// SPDX-License-Identifier: MIT
// What -e changes in the views, and what it must not: the figures cover every call.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/views/json_view.h"
#include "cli/views/prometheus/metrics.h"
#include "cli/views/prometheus/prometheus_view.h"
#include "cli/views/table_view.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

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

}  // namespace
}  // namespace zctrace
