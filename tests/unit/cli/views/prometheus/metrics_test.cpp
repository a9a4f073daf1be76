// SPDX-License-Identifier: MIT
// Metric families made from reports: differences added up, names, limits.
#include "cli/views/prometheus/metrics.h"
#include "cli/views/prometheus/prometheus_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <set>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

Row lasting(const std::string& syscall, Kind from, Kind to, Copy copy, std::uint64_t calls,
            std::uint64_t bytes) {
  Row made = row(syscall, from, to, copy, calls, bytes);
  made.wall_ns = calls * 1000;
  made.latency.add(9, calls);  // 768 to 1024 ns
  return made;
}

Row sendfile(std::uint64_t calls, std::uint64_t bytes) {
  return lasting("sendfile", Kind::file, Kind::socket, Copy::in_kernel, calls, bytes);
}

Process process(std::int64_t pid, const std::string& name, std::vector<Row> rows) {
  Process process;
  process.pid = pid;
  process.start_ns = static_cast<std::uint64_t>(pid);
  process.name = name;
  process.rows = std::move(rows);
  process.user_ns = 1;  // no process is idle
  return process;
}

std::string key(const std::string& family, const ClientMetric& metric) {
  std::string text = family + "{";
  for (const auto& label : metric.label) text += label.name + "=" + label.value + ",";
  return text + "}";
}

class Counting : public testing::Test {
 protected:
  explicit Counting(std::size_t max_series = 2000)
      : max_series_(max_series), metrics_(max_series, true) {}

  void add(std::vector<Process> processes) {
    Report report;
    report.processes = std::move(processes);
    report.completeness = completeness_;
    owners_.update(report.processes);
    metrics_.add(std::move(report), owners_, 12.5, now_);
  }

  // The value of the samples with this name and at least these labels; -1 if there is none.
  double value(const std::string& family,
               std::vector<std::pair<std::string, std::string>> labels = {}) {
    double sum = -1;
    for (const MetricFamily& found : prometheus_view(metrics_, self_)) {
      if (found.name != family) continue;
      for (const ClientMetric& metric : found.metric) {
        const bool all = std::all_of(labels.begin(), labels.end(), [&metric](const auto& wanted) {
          return std::any_of(metric.label.begin(), metric.label.end(),
                             [&wanted](const auto& label) {
                               return label.name == wanted.first && label.value == wanted.second;
                             });
        });
        if (all)
          sum = std::max(sum, 0.0) +
                (found.type == MetricType::Gauge ? metric.gauge.value : metric.counter.value);
      }
    }
    return sum;
  }

  std::size_t samples() {
    std::size_t count = 0;
    std::set<std::string> seen;
    for (const MetricFamily& family : prometheus_view(metrics_, {}))
      for (const ClientMetric& metric : family.metric) {
        count += family.type == MetricType::Histogram ? metric.histogram.bucket.size() + 3 : 1;
        EXPECT_TRUE(seen.insert(key(family.name, metric)).second) << key(family.name, metric);
      }
    return count;
  }

  std::size_t max_series_;
  Metrics metrics_;
  SelfCost self_;
  OwnerCache owners_{"/nowhere"};
  Completeness completeness_;
  Metrics::Clock::time_point now_{};
};

TEST_F(Counting, ServesRunTimesByProgram) {
  EXPECT_EQ(value("zctrace_bpf_runs_total"), -1) << "not asked for";
  self_.programs = {{"zc_sys_exit", 3, 1'500'000'000}, {"zc_walk", 2, 0}};
  EXPECT_EQ(value("zctrace_bpf_runs_total", {{"program", "zc_sys_exit"}}), 3);
  EXPECT_EQ(value("zctrace_bpf_run_time_seconds_total", {{"program", "zc_sys_exit"}}), 1.5);
  EXPECT_EQ(value("zctrace_bpf_run_time_seconds_total", {{"program", "zc_walk"}}), 0);
}

TEST_F(Counting, AddsUpDifferencesOfProcessesWithTheSameName) {
  add({process(1, "nginx", {sendfile(2, 100)}), process(2, "nginx", {sendfile(3, 50)})});
  EXPECT_EQ(value("zctrace_bytes_total",
                  {{"name", "nginx"}, {"syscall", "sendfile"}, {"from", "file"}, {"to", "socket"}}),
            150);
  add({process(1, "nginx", {sendfile(4, 200)}), process(2, "nginx", {sendfile(3, 50)})});
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "nginx"}}), 250);
  EXPECT_EQ(value("zctrace_syscalls_total", {{"name", "nginx"}}), 7);
}

TEST_F(Counting, StaysWhenProcessesEndAndTheirNumbersComeBack) {
  add({process(1, "dd", {sendfile(1, 10)})});
  add({ended(process(1, "dd", {sendfile(3, 30)}))});
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "dd"}}), 30);
  add({});
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "dd"}}), 30);
  Process again = process(1, "dd", {sendfile(1, 7)});
  again.start_ns = 99;
  add({again});
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "dd"}}), 37);
}

TEST_F(Counting, CountsAProcessThatLivedBetweenTwoReadings) {
  add({});
  add({ended(process(5, "true", {sendfile(1, 10)}))});
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "true"}}), 10);
}

TEST_F(Counting, GoesOnUnderTheNewNameAfterAnExec) {
  add({process(1, "sh", {sendfile(1, 10)})});
  add({process(1, "dd", {sendfile(2, 30)})});
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "sh"}}), 10);
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "dd"}}), 20);
}

TEST_F(Counting, DeliversEachByteOnceThoughAPipeIsFilledAndEmptiedInTwoIntervals) {
  const auto in = [](std::uint64_t bytes) {
    return lasting("splice", Kind::file, Kind::pipe, Copy::in_kernel, 1, bytes);
  };
  const auto out = [](std::uint64_t bytes) {
    return lasting("splice", Kind::pipe, Kind::socket, Copy::in_kernel, 1, bytes);
  };
  Process filled = process(1, "p", {in(65536)});
  filled.delivered_to_pipes = filled.delivered_to_pipes_in_kernel = 65536;
  add({filled});
  EXPECT_EQ(value("zctrace_delivered_bytes_total", {{"name", "p"}}), 65536);
  add({process(1, "p", {in(65536), out(65536)})});
  EXPECT_EQ(value("zctrace_delivered_bytes_total", {{"name", "p"}}), 65536);
  add({process(1, "p", {in(131072), out(131072)})});
  EXPECT_EQ(value("zctrace_delivered_bytes_total", {{"name", "p"}}), 131072);
  EXPECT_EQ(value("zctrace_zero_copy_bytes_total", {{"name", "p"}}), 131072);
}

TEST_F(Counting, DistinguishesZeroCopyFromCopied) {
  add({process(
      1, "p",
      {sendfile(1, 300), lasting("write", Kind::user, Kind::socket, Copy::copied, 1, 100)})});
  EXPECT_EQ(value("zctrace_delivered_bytes_total"), 400);
  EXPECT_EQ(value("zctrace_zero_copy_bytes_total"), 300);
}

TEST_F(Counting, ShowsSwitchesInsideAndOutsideOfCalls) {
  Process one = process(1, "p", {sendfile(1, 1)});
  one.rows[0].voluntary_switches = 3;
  one.rows[0].involuntary_switches = 1;
  one.rows[0].off_cpu_ns = 1'500'000'000;
  one.outside_syscalls = {5, 7};
  one.outside_syscalls.off_cpu_ns = 250'000'000;
  add({one});
  const char* const switches = "zctrace_context_switches_total";
  EXPECT_EQ(value(switches, {{"kind", "voluntary"}, {"syscall", "sendfile"}}), 3);
  EXPECT_EQ(value(switches, {{"kind", "involuntary"}, {"syscall", "sendfile"}}), 1);
  EXPECT_EQ(value(switches, {{"kind", "voluntary"}, {"syscall", "outside_syscalls"}}), 5);
  EXPECT_EQ(value(switches, {{"kind", "involuntary"}, {"syscall", "outside_syscalls"}}), 7);
  EXPECT_DOUBLE_EQ(value("zctrace_off_cpu_seconds_total"), 1.75);
}

TEST_F(Counting, HasAHistogramOfTimes) {
  Row timed = sendfile(0, 0);
  timed.calls = 6;
  timed.wall_ns = 3'000;
  timed.latency.add(0, 1);   // below 48 ns
  timed.latency.add(5, 2);   // 192 to 256 ns
  timed.latency.add(6, 1);   // 256 to 384 ns
  timed.latency.add(63, 2);  // longer than any bound
  add({process(1, "p", {timed})});
  for (const MetricFamily& family : prometheus_view(metrics_, {})) {
    if (family.name != "zctrace_syscall_duration_seconds") continue;
    EXPECT_EQ(family.type, MetricType::Histogram);
    ASSERT_EQ(family.metric.size(), 1U);
    const ClientMetric::Histogram& histogram = family.metric[0].histogram;
    ASSERT_EQ(histogram.bucket.size(), 15U);
    EXPECT_DOUBLE_EQ(histogram.bucket[0].upper_bound, 256e-9);
    EXPECT_EQ(histogram.bucket[0].cumulative_count, 3U);
    EXPECT_EQ(histogram.bucket[1].cumulative_count, 4U);
    EXPECT_EQ(histogram.bucket[14].cumulative_count, 4U);
    EXPECT_EQ(histogram.sample_count, 6U);
    EXPECT_DOUBLE_EQ(histogram.sample_sum, 3e-6);
    // Every bound is a border between two buckets of ours.
    for (const auto& bucket : histogram.bucket) {
      const auto ns = static_cast<std::uint64_t>(bucket.upper_bound * 1e9 + 0.5);
      std::size_t ours = 0;
      while (Histogram::lower_bound_ns(ours) < ns) ours++;
      EXPECT_EQ(Histogram::lower_bound_ns(ours), ns);
    }
    return;
  }
  FAIL() << "no histogram";
}

TEST_F(Counting, LeavesTimesOutWithoutLatency) {
  Metrics metrics(2000, false);
  Report report;
  Row untimed = sendfile(1, 1);
  untimed.latency = {};
  report.processes = {process(1, "p", {untimed})};
  metrics.add(std::move(report), owners_, 0, now_);
  for (const MetricFamily& family : prometheus_view(metrics, {})) {
    EXPECT_NE(family.name, "zctrace_off_cpu_seconds_total");
    EXPECT_NE(family.name, "zctrace_syscall_duration_seconds");
  }
}

TEST_F(Counting, HasNoBytesForCallsThatMoveNone) {
  add({process(1, "p", {lasting("mmap", Kind::other, Kind::other, Copy::none, 4, 0)})});
  EXPECT_EQ(value("zctrace_syscalls_total", {{"syscall", "mmap"}}), 4);
  EXPECT_EQ(value("zctrace_bytes_total"), -1);
}

TEST_F(Counting, ShowsEveryReasonOfALossAndItself) {
  completeness_.lost_by_reason = {{"rows_full", 3}, {"task_busy", 0}};
  completeness_.compat_syscalls = 2;
  add({process(1, "p", {}), process(2, "p", {})});
  EXPECT_EQ(value("zctrace_lost_events_total", {{"reason", "rows_full"}}), 3);
  EXPECT_EQ(value("zctrace_lost_events_total", {{"reason", "task_busy"}}), 0);
  EXPECT_EQ(value("zctrace_compat_syscalls_total"), 2);
  EXPECT_EQ(value("zctrace_observed_processes"), 2);
  EXPECT_EQ(value("zctrace_last_snapshot_timestamp_seconds"), 12.5);
  EXPECT_EQ(value("zctrace_build_info"), 1);
}

TEST_F(Counting, MakesEveryNameValidUtf8) {
  add({process(1, "a\xff\"b", {sendfile(1, 1)})});
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "a\xEF\xBF\xBD\"b"}}), 1);
}

class CountingWithALimit : public Counting, public testing::WithParamInterface<std::size_t> {
 protected:
  CountingWithALimit() : Counting(GetParam()) {}
};

TEST_P(CountingWithALimit, NeverHasMoreSeriesAndLosesNoCount) {
  for (std::size_t losses = 0; losses < 8; losses++)
    completeness_.lost_by_reason["reason" + std::to_string(losses)] = 0;
  double last_other = -1;
  for (int round = 1; round <= 3; round++) {
    std::vector<Process> processes;
    for (int n = 0; n < 100 * round; n++)
      processes.push_back(process(
          n + 1, "p" + std::to_string(n),
          {sendfile(static_cast<std::uint64_t>(round), static_cast<std::uint64_t>(10 * round)),
           lasting("read", Kind::file, Kind::user, Copy::copied, 1, 1),
           lasting("syscall" + std::to_string(n), Kind::user, Kind::file, Copy::copied, 1, 1)}));
    const double count = 100.0 * round;
    add(std::move(processes));
    EXPECT_LE(samples(), max_series_);
    EXPECT_EQ(value("zctrace_bytes_total"), count * (10 * round + 2));
    EXPECT_EQ(value("zctrace_delivered_bytes_total"), count * (10 * round + 1));
    const double other = value("zctrace_syscalls_total", {{"name", "other"}});
    EXPECT_GE(other, last_other);
    last_other = other;
  }
  const double folded = value("zctrace_folded_series_total");
  if (max_series_ < 5000) {
    EXPECT_GT(folded, 0);
    EXPECT_GT(last_other, 0);
  } else {
    EXPECT_EQ(folded, 0);
    EXPECT_EQ(last_other, -1);
  }
  // Counts that do not change are not folded again.
  add({});
  EXPECT_EQ(value("zctrace_folded_series_total"), folded);
}

INSTANTIATE_TEST_SUITE_P(Limits, CountingWithALimit,
                         testing::Values(Metrics::kLeastSeries, 200, 500, 2000, 100000));

class CountingWithFiveHundredSeries : public Counting {
 protected:
  CountingWithFiveHundredSeries() : Counting(500) {}
};

TEST_F(CountingWithFiveHundredSeries, GivesSeriesToTheProcessesThatMoveTheMost) {
  std::vector<Process> processes;
  for (int n = 0; n < 200; n++)
    processes.push_back(process(n + 1, "small" + std::to_string(n), {sendfile(1, 1)}));
  processes.push_back(process(999, "zlarge", {sendfile(1, 1'000'000)}));
  add(std::move(processes));
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "zlarge"}}), 1'000'000);
  // What small processes move stays in the totals, without their names.
  EXPECT_GT(value("zctrace_bytes_total", {{"name", "other"}, {"syscall", "sendfile"}}), 0);
}

TEST_F(CountingWithFiveHundredSeries, GivesABusyNewcomerTheSeriesOfAQuietOne) {
  std::vector<Process> junk;
  for (int n = 0; n < 400; n++)
    junk.push_back(process(n + 1, "junk" + std::to_string(n), {sendfile(1, 1)}));
  add(junk);
  // The junk goes on, so that none of it is idle.
  for (Process& one : junk) one.rows[0] = sendfile(2, 2);
  junk.push_back(process(999, "nginx", {sendfile(100, 1'000'000)}));
  now_ += std::chrono::seconds(15);
  add(junk);
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "nginx"}}), 1'000'000);
  EXPECT_EQ(value("zctrace_delivered_bytes_total", {{"name", "nginx"}}), 1'000'000);
  EXPECT_LE(samples(), max_series_);
  // What remains only grows, and the newcomer keeps its series.
  junk.back().rows[0] = sendfile(101, 1'000'001);
  add(junk);
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "nginx"}}), 1'000'001);
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "junk1"}}), 2);
}

TEST_F(CountingWithFiveHundredSeries, KeepsTheSeriesOfBusyOnesWhenJunkArrives) {
  add({process(999, "nginx", {sendfile(100, 1'000'000)})});
  std::vector<Process> processes{process(999, "nginx", {sendfile(200, 2'000'000)})};
  for (int n = 0; n < 400; n++)
    processes.push_back(process(n + 1, "junk" + std::to_string(n), {sendfile(100, 50'000)}));
  add(std::move(processes));
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "nginx"}}), 2'000'000);
}

TEST_F(Counting, ExportsNoChargesThatWereNotMeasured) {
  Row measured = lasting("read", Kind::file, Kind::user, Copy::copied, 1, 100);
  Row operation = lasting("io_uring:read", Kind::file, Kind::user, Copy::copied, 1, 100);
  operation.charges = Charges::unknown;
  const Row received = lasting("recvfrom", Kind::socket, Kind::user, Copy::copied, 1, 100);
  add({process(1, "p", {measured, operation, received})});
  for (const char* metric : {"zctrace_disk_read_bytes_total", "zctrace_dirtied_bytes_total"}) {
    EXPECT_EQ(value(metric, {{"syscall", "read"}}), 0);
    EXPECT_EQ(value(metric, {{"syscall", "io_uring:read"}}), -1);
    EXPECT_EQ(value(metric, {{"syscall", "recvfrom"}}), -1);
  }
  EXPECT_EQ(value("zctrace_cpu_copied_bytes_total", {{"syscall", "io_uring:read"}}), 100);
}

TEST_F(Counting, ExportsNoDirtyBytesOfFilesThatAreOnlyInMemory) {
  Row in_memory = lasting("write", Kind::user, Kind::file, Copy::copied, 1, 100);
  in_memory.in_memory = true;
  Row also_in_memory = lasting("pwrite64", Kind::user, Kind::file, Copy::copied, 1, 100);
  Row on_disk = also_in_memory;
  also_in_memory.in_memory = true;
  on_disk.dirtied_bytes = 4096;
  add({process(1, "p", {in_memory, also_in_memory}), process(2, "p", {on_disk}),
       process(3, "p", {also_in_memory})});
  EXPECT_EQ(value("zctrace_dirtied_bytes_total", {{"syscall", "write"}}), -1);
  EXPECT_EQ(value("zctrace_disk_read_bytes_total", {{"syscall", "write"}}), 0);
  EXPECT_EQ(value("zctrace_dirtied_bytes_total", {{"syscall", "pwrite64"}}), 4096);
}

TEST_F(CountingWithFiveHundredSeries, KeepsTheChargesThatWereMeasuredInASeriesOfOthers) {
  std::vector<Process> processes;
  for (int n = 0; n < 400; n++) {
    Row row = lasting("call" + std::to_string(n), Kind::file, Kind::user, Copy::copied, 1, 1);
    row.disk_read_bytes = n % 2 == 0 ? 1 : 0;
    row.charges = n % 2 == 0 ? Charges::measured : Charges::unknown;
    processes.push_back(process(n + 1, "junk" + std::to_string(n), {row}));
  }
  add(std::move(processes));
  EXPECT_GT(value("zctrace_disk_read_bytes_total", {{"syscall", "other"}}), 0);
}

TEST_F(Counting, MakesControlCharactersVisible) {
  add({process(1, "a\x1b[2J\nb\x7f", {sendfile(1, 1)})});
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "a\\x1b[2J\\x0ab\\x7f"}}), 1);
}

TEST_F(CountingWithFiveHundredSeries, EvictsSeriesThatHaveNotGrownForALongTime) {
  const auto crowd = [](const std::string& name, std::int64_t first) {
    std::vector<Process> processes;
    for (std::int64_t n = 0; n < 200; n++)
      processes.push_back(ended(process(first + n, name + std::to_string(n), {sendfile(1, 1)})));
    return processes;
  };
  add(crowd("old", 1));
  EXPECT_EQ(value("zctrace_retired_series_total"), 0);
  now_ += Metrics::kIdle / 2;
  add(crowd("soon", 1000));
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "soon0"}}), -1);
  const double other = value("zctrace_bytes_total", {{"name", "other"}});
  now_ += Metrics::kIdle;
  add(crowd("new", 2000));
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "old0"}}), -1);
  EXPECT_EQ(value("zctrace_bytes_total", {{"name", "new0"}}), 1);
  EXPECT_GT(value("zctrace_retired_series_total"), 0);
  EXPECT_GE(value("zctrace_bytes_total", {{"name", "other"}}), other);
  EXPECT_LE(samples(), max_series_);
}

}  // namespace
}  // namespace zctrace
