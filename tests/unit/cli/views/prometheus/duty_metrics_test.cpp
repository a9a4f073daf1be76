// SPDX-License-Identifier: MIT
// `export --duty`: which metrics are marked as estimates.
#include <gtest/gtest.h>

#include <string>

#include "cli/views/prometheus/metrics.h"
#include "cli/views/prometheus/prometheus_view.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

std::vector<prometheus::MetricFamily> families(bool sliced) {
  Report report =
      report_of({process_of({row("write", Kind::user, Kind::socket, Copy::copied, 40, 4000)})});
  report.processes[0].name = "writer";
  report.completeness.lost_by_reason = {{"rows_full", 0}};
  if (sliced) report.duty = {0.1, 300'000'000, 3, {}};
  OwnerCache owners("/nowhere");
  owners.update(report.processes);
  Metrics metrics(2000, false);
  metrics.add(std::move(report), owners, 12.5, Metrics::Clock::time_point());
  return prometheus_view(metrics, {});
}

TEST(DutyMetrics, AreMarkedInTheirHelp) {
  std::size_t marked = 0;
  for (const auto& family : families(true)) {
    const bool estimate = family.help.starts_with("Estimated from slices of the time (--duty). ");
    marked += estimate;
    const bool exact =
        family.name.starts_with("zctrace_self") || family.name.starts_with("zctrace_duty") ||
        family.name.starts_with("zctrace_lost") || family.name == "zctrace_observed_processes";
    EXPECT_FALSE(estimate && exact) << family.name;
    const bool count = family.name == "zctrace_syscalls_total" ||
                       family.name == "zctrace_bytes_total" ||
                       family.name == "zctrace_delivered_bytes_total" ||
                       family.name == "zctrace_context_switches_total";
    EXPECT_TRUE(estimate || !count) << family.name;
  }
  EXPECT_GE(marked, 6u);
}

TEST(DutyMetrics, SayHowMuchIsObserved) {
  double share = 0;
  double seconds = 0;
  double slices = 0;
  for (const auto& family : families(true)) {
    if (family.name == "zctrace_duty_share") share = family.metric[0].gauge.value;
    if (family.name == "zctrace_duty_observed_seconds_total")
      seconds = family.metric[0].counter.value;
    if (family.name == "zctrace_duty_slices_total") slices = family.metric[0].counter.value;
  }
  EXPECT_EQ(share, 0.1);
  EXPECT_DOUBLE_EQ(seconds, 0.3);
  EXPECT_EQ(slices, 3);
}

TEST(DutyMetrics, AreNotThereWithoutIt) {
  for (const auto& family : families(false)) {
    EXPECT_EQ(family.name.find("duty"), std::string::npos) << family.name;
    EXPECT_EQ(family.help.find("Estimated"), std::string::npos) << family.name;
  }
}

}  // namespace
}  // namespace zctrace
