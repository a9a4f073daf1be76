// SPDX-License-Identifier: MIT
// The names and help texts of metrics that are not in the catalogue, and the labels of all.
#include "cli/views/prometheus/prometheus_view.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kOutsideCalls = "outside_syscalls";

double seconds(std::uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

ClientMetric with_labels(const SeriesLabels& labels) {
  ClientMetric metric;
  const auto add = [&metric](const char* name, std::string_view value) {
    if (!value.empty()) metric.label.push_back({name, std::string(value)});
  };
  add("name", labels.name);
  visit_owner(labels.owner, add);
  add("syscall", labels.syscall);
  if (labels.flows) {
    add("from", kind_name(labels.from));
    add("to", kind_name(labels.to));
    add("protocol", protocol_name(labels.protocol));
  }
  return metric;
}

ClientMetric with_label(ClientMetric metric, const char* name, std::string_view value) {
  metric.label.push_back({name, std::string(value)});
  return metric;
}

ClientMetric with_value(ClientMetric metric, MetricType type, double value) {
  if (type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
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

// Families in the order in which they are first named.
class Families {
 public:
  // What stands before the help of those that follow.
  void explain(std::string_view prefix) { prefix_ = prefix; }

  void add(std::string_view name, std::string_view help, MetricType type, ClientMetric metric) {
    const auto [found, is_new] = index_.try_emplace(std::string(name), families_.size());
    if (is_new) {
      families_.emplace_back();
      families_.back().name = name;
      families_.back().help = prefix_ + std::string(help);
      families_.back().type = type;
    }
    families_[found->second].metric.push_back(std::move(metric));
  }
  void count(std::string_view name, std::string_view help, double value, ClientMetric labels = {}) {
    add(name, help, MetricType::Counter, with_value(std::move(labels), MetricType::Counter, value));
  }
  void gauge(std::string_view name, std::string_view help, double value, ClientMetric labels = {}) {
    add(name, help, MetricType::Gauge, with_value(std::move(labels), MetricType::Gauge, value));
  }

  // The exported ones of the catalogue that are known: `known` is asked of each.
  template <typename Figures, typename Record, std::size_t N, typename Known>
  void add_figures(const SeriesLabels& labels, const Figures& figures,
                   const Field<Figures, Record> (&fields)[N], bool latency, Known known) {
    for (const Field<Figures, Record>& field : fields) {
      if (field.metric.name.empty() || (field.clocked && !latency) || !known(field)) continue;
      ClientMetric metric = with_labels(labels);
      if (!field.metric_kind.empty())
        metric = with_label(std::move(metric), "kind", field.metric_kind);
      const std::uint64_t value = figures.*field.member;
      count(field.metric.name, field.metric.help,
            field.unit == Unit::ns ? seconds(value) : static_cast<double>(value),
            std::move(metric));
    }
  }

  std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  std::string prefix_;
  std::vector<MetricFamily> families_;
  std::map<std::string, std::size_t> index_;
};

void add_ports(Families& families, const ChannelMetrics& channels) {
  for (const auto& [labels, entry] : channels.ports().entries()) {
    ClientMetric metric = with_label({}, "protocol", labels.protocol);
    metric = with_label(std::move(metric), "port", labels.port);
    metric = with_label(std::move(metric), "role", labels.role);
    const auto count = [&](const char* name, const char* help, std::uint64_t value) {
      families.count(name, help, static_cast<double>(value), metric);
    };
    count("zctrace_port_sent_bytes_total", "Bytes sent through sockets, by port of the service.",
          entry.sums.sent_bytes);
    count("zctrace_port_received_bytes_total",
          "Bytes received through sockets, by port of the service.", entry.sums.received_bytes);
    count("zctrace_port_cpu_copied_bytes_total",
          "Bytes that CPUs copied in calls on these sockets.", entry.sums.cpu_copied_bytes);
    if (channels.knows("retransmits"))
      count("zctrace_port_retransmits_total", "Segments that TCP sent again.",
            entry.sums.retransmits);
  }
}

void add_mounts(Families& families, const ChannelMetrics& channels) {
  for (const auto& [labels, entry] : channels.mounts().entries()) {
    ClientMetric metric = with_label({}, "mountpoint", labels.mountpoint);
    metric = with_label(std::move(metric), "fstype", labels.fstype);
    metric = with_label(std::move(metric), "device", labels.device);
    const auto count = [&](const char* name, const char* help, std::uint64_t value) {
      families.count(name, help, static_cast<double>(value), metric);
    };
    count("zctrace_mount_read_bytes_total", "Bytes that calls took from files, by mount.",
          entry.sums.read_bytes);
    count("zctrace_mount_written_bytes_total", "Bytes that calls put into files, by mount.",
          entry.sums.written_bytes);
    count("zctrace_mount_cpu_copied_bytes_total", "Bytes that CPUs copied in calls on these files.",
          entry.sums.cpu_copied_bytes);
    if (channels.knows("disk_read_bytes"))
      count("zctrace_mount_disk_read_bytes_total",
            "Of zctrace_mount_read_bytes_total, those that came from a device.",
            entry.sums.disk_read_bytes);
    if (channels.knows("mapped_bytes"))
      count("zctrace_mount_mapped_bytes_total", "Bytes of files that page faults mapped.",
            entry.sums.mapped_bytes);
  }
}

void add_duty(Families& families, const Duty& duty) {
  families.gauge("zctrace_duty_share", "The share of the time that is observed (--duty).",
                 duty.share);
  families.count("zctrace_duty_observed_seconds_total", "How much time was observed.",
                 seconds(duty.observed_ns));
  families.count("zctrace_duty_slices_total", "Slices of the time that were observed.",
                 static_cast<double>(duty.slices));
}

void add_contents(Families& families, const Metrics::Contents& held) {
  if (held.duty) families.explain("Estimated from slices of the time (--duty). ");
  for (const auto& [labels, entry] : held.calls.entries)
    families.add_figures<RowFigures>(
        labels, entry.sums, kRowFields, held.latency, [&row = entry.sums](const auto& field) {
          return (field.unit != Unit::bytes || row.copy != Copy::none) &&
                 (!field.charged || row.is_charged(field.member));
        });
  for (const auto& [labels, entry] : held.outside.entries) {
    SeriesLabels no_call = labels;
    no_call.syscall = kOutsideCalls;
    families.add_figures(no_call, entry.sums.figures, kOutsideFields, held.latency,
                         [](const auto& field) { return !field.charged; });
  }
  for (const auto& [labels, entry] : held.latencies.entries)
    families.add("zctrace_syscall_duration_seconds",
                 "Time from a call's entry to its return, of the calls that were timed. With "
                 "--timing adaptive, busy calls have one in 16 timed, and the sum is an estimate.",
                 MetricType::Histogram, histogram(with_labels(labels), entry.sums));
  for (const auto& [labels, entry] : held.outside.entries) {
    families.count("zctrace_delivered_bytes_total",
                   "Bytes that reached a final sink, each counted once.",
                   static_cast<double>(entry.sums.delivered.bytes), with_labels(labels));
    families.count("zctrace_zero_copy_bytes_total",
                   "Of zctrace_delivered_bytes_total, those that no CPU copied; at least so many.",
                   static_cast<double>(entry.sums.delivered.zero_copy), with_labels(labels));
    families.count(
        "zctrace_kernel_only_bytes_total",
        "The part of zctrace_delivered_bytes_total that never passed through user space.",
        static_cast<double>(entry.sums.delivered.kernel_only), with_labels(labels));
  }
  families.explain("");
  if (held.duty) add_duty(families, *held.duty);
  add_ports(families, held.channels);
  add_mounts(families, held.channels);
  for (const auto& [reason, count] : held.completeness.lost_by_reason)
    families.count("zctrace_lost_events_total", "What could not be counted, by reason.",
                   static_cast<double>(count), with_label({}, "reason", reason));
  families.count("zctrace_folded_rows_total",
                 "Rows that found no space; syscall=\"(folded)\" holds their counts.",
                 static_cast<double>(held.completeness.folded_rows));
  families.count("zctrace_compat_syscalls_total",
                 "Calls through a 32-bit ABI; rows count them, too.",
                 static_cast<double>(held.completeness.compat_syscalls));
  families.count("zctrace_unfollowed_tasks_total", "Tasks that could not be observed.",
                 static_cast<double>(held.completeness.unfollowed_tasks));
  families.count("zctrace_folded_series_total",
                 "Series that did not fit within --max-series; name=\"other\" holds their counts.",
                 static_cast<double>(held.folded + held.channels.folded_series()));
  families.count(
      "zctrace_retired_series_total",
      "Series that were removed to make space, because they had not grown for a long time.",
      static_cast<double>(held.retired + held.channels.retired_series()));
  families.gauge("zctrace_observed_processes", "Observed processes that are running.",
                 static_cast<double>(held.running));
  families.gauge("zctrace_last_snapshot_timestamp_seconds",
                 "When the counts were last read, since the epoch.", held.taken_at);
}

}  // namespace

std::vector<MetricFamily> prometheus_view(const Metrics& metrics, const SelfCost& self) {
  Families families;
  add_contents(families, metrics.contents());
  families.count("zctrace_self_cpu_seconds_total", "CPU time that zctrace itself took.",
                 self.cpu_seconds);
  for (const BpfRunTime& program : self.programs)
    families.count("zctrace_bpf_run_time_seconds_total",
                   "Time in zctrace's own BPF programs, on behalf of all processes of the machine.",
                   seconds(program.ns), with_label({}, "program", program.name));
  for (const BpfRunTime& program : self.programs)
    families.count("zctrace_bpf_runs_total", "Runs of zctrace's own BPF programs.",
                   static_cast<double>(program.runs), with_label({}, "program", program.name));
  families.gauge("zctrace_self_resident_memory_bytes", "Memory that zctrace itself holds.",
                 static_cast<double>(self.resident_bytes));
  families.gauge("zctrace_build_info", "Always 1; the label is the version.", 1,
                 with_label({}, "version", version()));
  return families.take();
}

}  // namespace zctrace
