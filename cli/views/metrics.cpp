// SPDX-License-Identifier: MIT
// Differences of reports, summed by label set, in no more series than there is room for.
#include "cli/views/metrics.h"

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "cli/text/printable.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// 2^k ns, borders of the kernel side's buckets. A border belongs to the bucket above it, where
// Prometheus counts it below: one nanosecond's difference.
constexpr std::array<unsigned, 15> kBoundOctaves = {8,  9,  10, 12, 14, 16, 18, 20,
                                                    22, 24, 26, 28, 30, 32, 34};

constexpr std::size_t kOutsideSeries = 5;
constexpr std::size_t kCallSeries = 6;
constexpr std::size_t kLatencySeries = kBoundOctaves.size() + 3;  // +Inf, sum, count
// The last resort, everything else in "other", always has its room.
constexpr std::size_t kLastResortSeries = kOutsideSeries + kCallSeries + kLatencySeries;
// Single metrics, a series for each reason of a loss, and the Exposer's seven.
constexpr std::size_t kFixedSeries = 10 + 8 + 7;
static_assert(kFixedSeries + kLastResortSeries < Metrics::kLeastSeries);

// Beyond this the number of folded series is no longer counted; it says enough.
constexpr std::size_t kFoldedRemembered = 65536;
constexpr std::string_view kOther = "other";
constexpr std::string_view kOutsideCalls = "outside_syscalls";

constexpr std::size_t room(std::size_t max_series) {
  return max_series - kFixedSeries - kLastResortSeries;
}

double seconds(std::uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

ClientMetric with_labels(const SeriesLabels& labels) {
  ClientMetric metric;
  const auto add = [&metric](const char* name, std::string_view value) {
    if (!value.empty()) metric.label.push_back({name, std::string(value)});
  };
  add("name", labels.name);
  add("unit", labels.place.unit);
  add("container_id", labels.place.container_id);
  add("pod_uid", labels.place.pod_uid);
  add("syscall", labels.syscall);
  if (labels.flows) {
    add("from", kind_name(labels.from));
    add("to", kind_name(labels.to));
  }
  return metric;
}

ClientMetric with_value(ClientMetric metric, MetricType type, double value) {
  if (type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  return metric;
}

// A family of counters, or of gauges, as it fills.
class Family {
 public:
  Family(const char* name, const char* help, MetricType type = MetricType::Counter) {
    family_.name = name;
    family_.help = help;
    family_.type = type;
  }

  void add(ClientMetric metric, double value) {
    family_.metric.push_back(with_value(std::move(metric), family_.type, value));
  }
  void add(ClientMetric metric, std::uint64_t value) {
    add(std::move(metric), static_cast<double>(value));
  }
  void add(ClientMetric metric) { family_.metric.push_back(std::move(metric)); }

  MetricFamily take() { return std::move(family_); }

 private:
  MetricFamily family_;
};

MetricFamily single(const char* name, const char* help, MetricType type, double value) {
  Family family(name, help, type);
  family.add(ClientMetric(), value);
  return family.take();
}

ClientMetric with_label(ClientMetric metric, const char* name, std::string value) {
  metric.label.push_back({name, std::move(value)});
  return metric;
}

ClientMetric histogram(ClientMetric metric, const Row& row) {
  std::uint64_t cumulative = 0;
  std::size_t bucket = 0;
  for (const unsigned octave : kBoundOctaves) {
    for (const std::size_t end = 2UL * (octave - Histogram::kFirstOctave); bucket < end; bucket++)
      cumulative += row.latency.count(bucket);
    metric.histogram.bucket.push_back({cumulative, seconds(std::uint64_t{1} << octave)});
  }
  metric.histogram.sample_count = row.latency.total();
  metric.histogram.sample_sum = seconds(row.wall_ns);
  return metric;
}

void add_to(Row& sum, const Row& row) {
  // What holds any bytes once goes on to show them.
  if (row.copy != Copy::none) sum.copy = row.copy;
  sum.calls += row.calls;
  sum.errors += row.errors;
  sum.bytes += row.bytes;
  sum.wall_ns += row.wall_ns;
  sum.off_cpu_ns += row.off_cpu_ns;
  sum.voluntary_switches += row.voluntary_switches;
  sum.involuntary_switches += row.involuntary_switches;
  sum.latency += row.latency;
}

std::pair<std::int64_t, std::uint64_t> identity(const Process& process) {
  return {process.pid, process.start_ns};
}

std::uint64_t grown(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

}  // namespace

Metrics::Outside& Metrics::Outside::operator+=(const Outside& other) {
  switches.voluntary += other.switches.voluntary;
  switches.involuntary += other.switches.involuntary;
  off_cpu_ns += other.off_cpu_ns;
  delivered_bytes += other.delivered_bytes;
  zero_copy_bytes += other.zero_copy_bytes;
  return *this;
}

// Each kind has a share of its own, so that none can crowd out another.
Metrics::Metrics(std::size_t max_series, bool latency)
    : latency_(latency),
      outside_(kOutsideSeries, room(max_series) / 8),
      calls_(kCallSeries, room(max_series) * (latency ? 4 : 7) / 8),
      latencies_(kLatencySeries, room(max_series) * 3 / 8) {}

// By owner and flow, before anybody asks whether there is room: many processes share a name.
Metrics::Increments Metrics::increments(const Report& standing, const Report& between,
                                        const Places& places) {
  Increments sums;
  std::map<std::pair<std::int64_t, std::uint64_t>, const Process*> whole;
  for (const Process& process : standing.processes) whole.emplace(identity(process), &process);
  for (const Process& process : between.processes) {
    SeriesLabels labels;
    labels.name = valid_utf8(process.name);
    labels.place = places.of(process);
    labels.place.unit = valid_utf8(labels.place.unit);
    Outside& outside = sums.outside[labels];
    Outside increment;
    increment.switches = process.outside_syscalls;
    increment.off_cpu_ns = process.off_cpu_outside_ns;
    // Derived figures of a difference would be wrong: a pipe may be filled in one interval and
    // emptied in the next.
    const Process& now = *whole.at(identity(process));
    Delivered& counted = delivered_[identity(process)];
    increment.delivered_bytes = grown(now.delivered_bytes(), counted.bytes);
    increment.zero_copy_bytes =
        std::min(grown(now.zero_copy_bytes(), counted.zero_copy_bytes), increment.delivered_bytes);
    counted.bytes += increment.delivered_bytes;
    counted.zero_copy_bytes += increment.zero_copy_bytes;
    outside += increment;
    labels.flows = true;
    for (const Row& row : process.rows) {
      labels.syscall = row.syscall;
      labels.from = row.from;
      labels.to = row.to;
      add_to(sums.rows[labels], row);
    }
  }
  for (const Process& process : standing.processes)
    if (process.end_ns) delivered_.erase(identity(process));
  return sums;
}

void Metrics::count_folded(const SeriesLabels& labels, std::size_t series) {
  if (folded_hashes_.size() >= kFoldedRemembered) return;
  std::size_t hash = series;  // the kinds have different numbers
  const auto mix = [&hash](std::size_t value) {
    hash ^= value + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
  };
  for (const std::string* text : {&labels.name, &labels.place.unit, &labels.place.container_id,
                                  &labels.place.pod_uid, &labels.syscall})
    mix(std::hash<std::string>()(*text));
  mix(static_cast<std::size_t>(labels.from) << 8 | static_cast<std::size_t>(labels.to));
  if (folded_hashes_.insert(hash).second) folded_ += series;
}

template <typename Sums>
void Metrics::retire_idle(Table<Sums>& table) {
  const std::size_t retired =
      table.series * std::erase_if(table.entries, [this](const auto& item) {
        return item.first.name != kOther && now_ - item.second.grown > kIdle;
      });
  table.used -= retired;
  retired_ += retired;
}

// The label set itself, or what it folds into: first only the owner is lost, then all.
template <typename Sums>
Sums& Metrics::find_room(Table<Sums>& table, SeriesLabels labels) {
  const auto find = [&](std::size_t limit) -> Sums* {
    auto found = table.entries.find(labels);
    if (found == table.entries.end()) {
      if (table.used + table.series > limit) return nullptr;
      table.used += table.series;
      found = table.entries.try_emplace(labels).first;
    }
    found->second.grown = now_;
    return &found->second.sums;
  };
  if (Sums* own = find(table.own)) return *own;
  short_of_room_ = true;
  count_folded(labels, table.series);
  labels.name = kOther;
  labels.place = {};
  if (Sums* other = find(table.with_other)) return *other;
  if (labels.flows) {
    labels.syscall = kOther;
    labels.from = labels.to = Kind::other;
  }
  return table.entries[labels].sums;  // its room is set aside
}

void Metrics::add(Report standing, const Places& places, double taken_at, Clock::time_point now) {
  const Report between = difference(standing, last_);
  const Increments sums = increments(standing, between, places);
  // Where there is not room for all, those that move the most come first.
  std::vector<std::pair<const SeriesLabels*, const Row*>> rows;
  for (const auto& [labels, row] : sums.rows) rows.emplace_back(&labels, &row);
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->bytes, a.second->calls) >
           std::pair(b.second->bytes, b.second->calls);
  });
  std::vector<std::pair<const SeriesLabels*, const Outside*>> owners;
  for (const auto& [labels, outside] : sums.outside) owners.emplace_back(&labels, &outside);
  std::stable_sort(owners.begin(), owners.end(), [](const auto& a, const auto& b) {
    return a.second->delivered_bytes > b.second->delivered_bytes;
  });
  last_ = std::move(standing);

  const std::scoped_lock lock(mutex_);
  now_ = now;
  taken_at_ = taken_at;
  completeness_ = last_.completeness;
  running_ = static_cast<std::size_t>(
      std::count_if(last_.processes.begin(), last_.processes.end(),
                    [](const Process& process) { return !process.end_ns; }));
  if (std::exchange(short_of_room_, false)) {
    retire_idle(outside_);
    retire_idle(calls_);
    retire_idle(latencies_);
  }
  for (const auto& [labels, increment] : owners) find_room(outside_, *labels) += *increment;
  for (const auto& [labels, row] : rows) add_to(find_room(calls_, *labels), *row);
  for (const auto& [labels, row] : rows)
    if (row->latency.total() != 0) add_to(find_room(latencies_, *labels), *row);
}

std::vector<MetricFamily> Metrics::families(const SelfCost& self) const {
  Family calls("zctrace_syscalls_total",
               "System calls that returned; io_uring's operations, when they completed.");
  Family bytes("zctrace_bytes_total", "Bytes that calls moved, from their results.");
  Family errors("zctrace_errors_total", "Calls that failed, those that the kernel restarts aside.");
  Family switches("zctrace_context_switches_total",
                  "Context switches, by the call they happened in; syscall=\"outside_syscalls\" is "
                  "outside of any.");
  Family off_cpu("zctrace_off_cpu_seconds_total",
                 "Time switched out, by the call it happened in; syscall=\"outside_syscalls\" is "
                 "outside of any.");
  Family durations("zctrace_syscall_duration_seconds", "Time from a call's entry to its return.",
                   MetricType::Histogram);
  Family delivered("zctrace_delivered_bytes_total",
                   "Bytes that reached a final sink, each counted once.");
  Family zero_copy("zctrace_zero_copy_bytes_total",
                   "Of zctrace_delivered_bytes_total, those that never passed through user space.");
  Family lost("zctrace_lost_events_total", "What could not be counted, by reason.");

  const std::scoped_lock lock(mutex_);
  const auto add_switches = [&switches](const SeriesLabels& labels, std::uint64_t voluntary,
                                        std::uint64_t involuntary) {
    switches.add(with_label(with_labels(labels), "kind", "voluntary"), voluntary);
    switches.add(with_label(with_labels(labels), "kind", "involuntary"), involuntary);
  };
  for (const auto& [labels, entry] : calls_.entries) {
    const Row& row = entry.sums;
    calls.add(with_labels(labels), row.calls);
    if (row.copy != Copy::none) bytes.add(with_labels(labels), row.bytes);
    errors.add(with_labels(labels), row.errors);
    add_switches(labels, row.voluntary_switches, row.involuntary_switches);
    if (latency_) off_cpu.add(with_labels(labels), seconds(row.off_cpu_ns));
  }
  for (const auto& [labels, entry] : outside_.entries) {
    const Outside& outside = entry.sums;
    delivered.add(with_labels(labels), outside.delivered_bytes);
    zero_copy.add(with_labels(labels), outside.zero_copy_bytes);
    SeriesLabels no_call = labels;
    no_call.syscall = kOutsideCalls;
    add_switches(no_call, outside.switches.voluntary, outside.switches.involuntary);
    if (latency_) off_cpu.add(with_labels(no_call), seconds(outside.off_cpu_ns));
  }
  for (const auto& [labels, entry] : latencies_.entries)
    durations.add(histogram(with_labels(labels), entry.sums));
  for (const auto& [reason, count] : completeness_.lost_by_reason)
    lost.add(with_label(ClientMetric(), "reason", reason), count);

  std::vector<MetricFamily> families;
  for (Family* family :
       {&calls, &bytes, &errors, &switches, &off_cpu, &durations, &delivered, &zero_copy, &lost})
    if (MetricFamily filled = family->take(); !filled.metric.empty())
      families.push_back(std::move(filled));
  const auto count = [&families](const char* name, const char* help, std::uint64_t value) {
    families.push_back(single(name, help, MetricType::Counter, static_cast<double>(value)));
  };
  const auto gauge = [&families](const char* name, const char* help, double value) {
    families.push_back(single(name, help, MetricType::Gauge, value));
  };
  count("zctrace_compat_syscalls_total",
        "Calls through a 32-bit ABI, which syscall=\"other\" holds.",
        completeness_.compat_syscalls);
  count("zctrace_unfollowed_tasks_total", "Tasks that could not be observed.",
        completeness_.unfollowed_tasks);
  count("zctrace_folded_series_total",
        "Series that --max-series left no room for; name=\"other\" holds their counts.", folded_);
  count("zctrace_retired_series_total",
        "Series that made room for others after they had not grown for long.", retired_);
  gauge("zctrace_observed_processes", "Processes that are observed and run.",
        static_cast<double>(running_));
  gauge("zctrace_last_snapshot_timestamp_seconds",
        "When the counts were last read, since the epoch.", taken_at_);
  families.push_back(single("zctrace_self_cpu_seconds_total", "CPU time that zctrace itself took.",
                            MetricType::Counter, self.cpu_seconds));
  gauge("zctrace_self_resident_memory_bytes", "Memory that zctrace itself holds.",
        static_cast<double>(self.resident_bytes));
  Family build("zctrace_build_info", "1; the label is what is built.", MetricType::Gauge);
  build.add(with_label(ClientMetric(), "version", version()), 1.0);
  families.push_back(build.take());
  return families;
}

}  // namespace zctrace
