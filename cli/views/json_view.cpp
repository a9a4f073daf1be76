// SPDX-License-Identifier: MIT
// Writes the fields of the interface; other fields are additional.
#include "cli/views/json_view.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/text/errno_name.h"
#include "cli/text/printable.h"
#include "cli/text/signal_name.h"
#include "cli/views/advice_json.h"
#include "cli/views/channel_json.h"
#include "cli/views/exact_json.h"
#include "collector/model/process_summary.h"

#ifndef ZCTRACE_VERSION
#error "the Makefile defines ZCTRACE_VERSION"
#endif

namespace zctrace {
namespace {

using nlohmann::ordered_json;

constexpr const char* kNoDuration =
    "operations of io_uring and native AIO and requests to FUSE are no calls: they have no entry "
    "and exit, between which a task could be switched out";
constexpr const char* kInFlight =
    "the calls were in flight when observation began, so that their entry was not seen";
constexpr const char* kRequests =
    "a mount counts requests, which do not say how often a CPU copies their bytes; mount --observe "
    "counts calls";
constexpr const char* kKeepsMost =
    "hardly any of what was received was passed on (less than a tenth), so copies for each "
    "delivered byte would say nothing about the delivered bytes";
constexpr const char* kNoLatency = "not measured with --timing none (--no-latency)";
constexpr const char* kNotMeasured =
    "not measured: it needs the times of calls, and a kernel with CONFIG_TASK_IO_ACCOUNTING";

ordered_json words_json(const std::vector<std::string>& words) {
  ordered_json array = ordered_json::array();
  for (const std::string& word : words) array.push_back(valid_utf8(word));
  return array;
}

// What was not measured is null.
template <typename Figures, typename Record, std::size_t N>
void append_fields(ordered_json& object, const Figures& figures,
                   const Field<Figures, Record> (&fields)[N], auto is_measured) {
  for (const Field<Figures, Record>& field : fields) {
    if (!field.listed) continue;
    ordered_json& value = object[std::string(field.name)];
    if (is_measured(field)) value = figures.*field.member;
  }
}

auto clocked_if(bool latency) {
  return [latency](const auto& field) { return latency || !field.clocked; };
}

bool is_of_copies(std::uint64_t RowFigures::*figure) {
  return figure == &RowFigures::cpu_copied_bytes ||
         figure == &RowFigures::cpu_copied_measured_bytes ||
         figure == &RowFigures::uncopied_bytes || figure == &RowFigures::uncopied_measured_bytes;
}

// Whether a figure of a row was measured. FUSE requests have times, but none of them off the CPU.
bool is_measured(const Row& row, const Measured& measured, std::uint64_t RowFigures::*figure,
                 bool charged, bool clocked) {
  if (charged) return measured.charges && row.is_charged(figure);
  if (is_of_copies(figure)) return measured.copies;
  if (!clocked) return true;
  const bool on_cpu_only = figure == &RowFigures::off_cpu_ns && row.asynchronous;
  return measured.latency && row.is_timed() && !on_cpu_only;
}

// Why figures of this row are null, where that is not so of the whole report.
ordered_json unknown_of(const Row& row, const Measured& measured) {
  ordered_json unknown = ordered_json::object();
  const char* const no_time = row.asynchronous ? kNoDuration : kInFlight;
  if (measured.latency && !row.is_timed()) unknown["wall_ns"] = unknown["off_cpu_ns"] = no_time;
  if (measured.latency && row.is_timed() && row.asynchronous) unknown["off_cpu_ns"] = kNoDuration;
  if (measured.charges && row.charges == Charges::unknown)
    unknown["disk_read_bytes"] = unknown["dirtied_bytes"] =
        row.asynchronous ? kNotOfOperations : kNotMeasured;
  else if (measured.charges && row.in_memory)
    unknown["dirtied_bytes"] = kNotInMemory;
  return unknown;
}

ordered_json latency_json(const Row& row) {
  const auto percentile = [&row](double fraction) {
    return row.latency.percentile_ns(fraction, row.max_ns).value_or(0);
  };
  if (row.latency.total() == 0) return nullptr;
  const std::uint64_t calls = row.latency.total();
  // Requests to FUSE have no minimum.
  const ordered_json least = row.min_ns != 0 ? ordered_json(row.min_ns) : ordered_json(nullptr);
  ordered_json object = {{"min", least},
                         {"mean", row.wall_ns / row.clocked_calls()},
                         {"p50", percentile(0.5)},
                         {"p90", percentile(0.9)},
                         {"p99", percentile(0.99)},
                         {"max", row.max_ns},
                         {"timed_calls", calls},
                         {"buckets", buckets_json(row.latency)}};
  if (row.sample.untimed != 0) object["untimed_calls"] = row.sample.untimed;
  if (row.max_is_bound) object["max_is_bound"] = true;
  return object;
}

ordered_json per_gb_json(const Process& process, std::uint64_t delivered_bytes, bool latency) {
  if (delivered_bytes == 0) return nullptr;
  const auto each = [delivered_bytes](std::uint64_t count) {
    return per_gb(count, delivered_bytes).value_or(0);
  };
  return {{"syscalls", each(process.syscalls())},
          {"crossings", each(process.crossings())},
          {"copied_bytes", each(process.copied_bytes())},
          {"user_ns", each(process.user_ns)},
          {"system_ns", each(process.system_ns)},
          {"off_cpu_ns", latency ? ordered_json(each(process.off_cpu_ns())) : nullptr},
          {"voluntary_switches", each(process.voluntary_switches())},
          {"involuntary_switches", each(process.involuntary_switches())},
          {"minor_faults", each(process.minor_faults)},
          {"major_faults", each(process.major_faults)}};
}

// The most frequent errors by name; the others, and those without a number, are "other".
ordered_json errors_json(const Row& row) {
  constexpr std::size_t kNamed = 8;
  std::vector<std::pair<std::uint64_t, unsigned>> numbers;
  for (const auto& [number, count] : row.errors_by) numbers.emplace_back(count, number);
  std::sort(numbers.begin(), numbers.end(), std::greater<>());
  if (numbers.size() > kNamed) numbers.resize(kNamed);
  ordered_json object = ordered_json::object();
  std::uint64_t named = 0;
  for (const auto& [count, number] : numbers) {
    object[errno_name(number)] = count;
    named += count;
  }
  if (row.errors > named) object["other"] = row.errors - named;
  return object;
}

// Those that errors_json() does not name.
ordered_json more_errors_json(const Row& row, const ordered_json& named) {
  ordered_json object = ordered_json::object();
  for (const auto& [number, count] : row.errors_by)
    if (!named.contains(errno_name(number))) object[errno_name(number)] = count;
  return object;
}

// What a process and the totals have in common, appended to `object`.
void append_figures(ordered_json& object, const Process& process, const Delivered& delivered,
                    const Measured& measured) {
  const auto charged = [&measured](const std::optional<std::uint64_t>& bytes) {
    return or_null(measured.charges ? bytes : std::nullopt);
  };
  const ProcessSummary summary = summary_of(process, delivered);
  append_fields<ProcessFigures>(object, process, kProcessFields, clocked_if(measured.latency));
  object["voluntary_switches"] = process.voluntary_switches();
  object["involuntary_switches"] = process.involuntary_switches();
  append_fields(object["outside_syscalls"] = ordered_json::object(), process.outside_syscalls,
                kOutsideFields, clocked_if(measured.latency));
  object["syscalls"] = process.syscalls();
  object["errors"] = process.errors();
  object["crossings"] = process.crossings();
  object["copied_bytes"] = process.copied_bytes();
  object["in_kernel_bytes"] = process.in_kernel_bytes();
  object["delivered_bytes"] = delivered.bytes;
  const auto of_copies = [&](const char* name, ordered_json value) {
    object[name] = measured.copies ? std::move(value) : ordered_json(nullptr);
  };
  of_copies("cpu_copied_bytes", process.cpu_copied_bytes());
  of_copies("cpu_copied_measured_bytes", process.cpu_copied_measured_bytes());
  of_copies("uncopied_bytes", process.uncopied_bytes());
  of_copies("uncopied_measured_bytes", process.uncopied_measured_bytes());
  object["copies_evidence"] = text_or_null(evidence_name(process.copies_evidence()));
  of_copies("cpu_copies_per_byte", or_null(summary.copies_per_byte()));
  object["kernel_only_bytes"] = delivered.kernel_only;
  object["kernel_only_share"] = or_null(delivered.kernel_only_share());
  of_copies("zero_copy_bytes", delivered.zero_copy);
  of_copies("zero_copy_at_most_bytes", delivered.zero_copy_at_most);
  of_copies("zero_copy_share", or_null(delivered.zero_copy_share()));
  object["disk_read_bytes"] = charged(process.disk_read_bytes());
  object["dirtied_bytes"] = charged(process.dirtied_bytes());
  object["per_gb"] = per_gb_json(process, delivered.bytes, measured.latency);
  if (const CpuProfile profile = process.cpu_profile(); profile.hz != 0)
    object["cpu_profile"] = cpu_profile_json(profile);
  ordered_json& rows = object["rows"] = ordered_json::array();
  for (const Row& row : shown_rows(process.rows)) rows.push_back(row_json(row, measured));
  add_pipes_json(object, process);
  if (std::all_of(process.rows.begin(), process.rows.end(),
                  [](const Row& row) { return row.shown; }))
    return;
  ordered_json& counted = object["counted_rows"] = ordered_json::array();
  for (const Row& row : process.rows) {
    counted.push_back(row_json(row, measured));
    counted.back()["listed"] = row.shown;
  }
}

ordered_json process_json(const Process& process, const Measured& measured) {
  ordered_json object;
  object["pid"] = process.pid;
  if (process.tid != 0) object["tid"] = process.tid;
  object["parent_pid"] = process.parent_pid;
  object["name"] = valid_utf8(process.name);
  object["argv"] = words_json(process.argv);
  if (process.owner != ProcessOwner())
    visit_owner(process.owner, [&owner = object["owner"]](const char* name, const auto& text) {
      if (!text.empty()) owner[name] = valid_utf8(text);
    });
  object["started_ns"] = process.start_ns;
  object["ended_ns"] = or_null(process.end_ns);
  object["exit_code"] = or_null(process.exit_code);
  object["signal"] = process.signal ? ordered_json(signal_name(*process.signal)) : nullptr;
  append_figures(object, process, delivered_by(process), measured);
  if (measured.sliced) object["estimate"] = estimate_json(process.sliced);
  return object;
}

bool any_keeps_most(const Report& report, const Totals& totals) {
  const auto keeps = [](const ProcessSummary& summary) {
    return summary.delivered.bytes != 0 && summary.keeps_most();
  };
  return keeps(summary_of(totals)) || keeps(summary_of(report.others)) ||
         std::any_of(report.processes.begin(), report.processes.end(),
                     [&](const Process& process) { return keeps(summary_of(process)); });
}

std::string counter_key(std::size_t counter) {
  return std::string(kernel_counter_name(static_cast<KernelCounter>(counter)));
}

ordered_json check_json(const CounterCheck& check) {
  return {{"kernel", check.kernel},
          {"counted", check.counted},
          {"difference", check.difference},
          {"margin", check.margin ? ordered_json(*check.margin) : ordered_json(nullptr)}};
}

ordered_json verification_json(const Verification& verification) {
  ordered_json object;
  object["equal"] = verification.equal();
  object["compared_processes"] = verification.compared;
  ordered_json& reasons = object["not_compared"] = ordered_json::object();
  for (const auto& [reason, count] : verification.not_compared) reasons[reason] = count;
  object["io_not_verified"] = verification.io_not_verified
                                  ? ordered_json(*verification.io_not_verified)
                                  : ordered_json(nullptr);
  for (std::size_t i = 0; i < kKernelCounters; i++) {
    const bool skipped = verification.io_not_verified && i < kIoCounters;
    object[counter_key(i)] = skipped ? ordered_json(nullptr) : check_json(verification.counters[i]);
  }
  object["lost_operations"] = verification.lost_operations;
  object["reaped"] = nullptr;
  if (verification.waited_children) {
    object["reaped_pid"] = verification.waited_children->pid;
    ordered_json& reaped = object["reaped"] = ordered_json::object();
    for (std::size_t i = 0; i < kKernelCounters; i++)
      reaped[counter_key(i)] = {{"kernel", verification.waited_children->kernel[i]},
                                {"observed", verification.waited_children->observed[i]}};
  }
  ordered_json& differences = object["differences"] = ordered_json::array();
  for (const Verification::Difference& one : verification.differences)
    differences.push_back({{"pid", one.pid},
                           {"with_descendants", one.with_descendants},
                           {"counter", kernel_counter_name(one.counter)},
                           {"kernel", one.kernel},
                           {"counted", one.counted}});
  return object;
}

}  // namespace

ordered_json text_or_null(std::string_view text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(valid_utf8(text));
}

Measured measured_of(const Report& report) {
  return {report.latency, !report.unknown.contains("disk_read_bytes"), report.command != "mount",
          report.duty.has_value()};
}

std::string version() { return ZCTRACE_VERSION; }

ordered_json host_json(const Host& host) {
  return {
      {"kernel", valid_utf8(host.kernel)}, {"arch", valid_utf8(host.arch)}, {"cpus", host.cpus}};
}

ordered_json cpu_profile_json(const CpuProfile& profile) {
  ordered_json object = {{"samples", profile.total()}, {"hz", profile.hz}};
  ordered_json& share = object["share"] = nullptr;
  for (std::size_t i = 0; profile.total() != 0 && i < kCpuClasses; i++) {
    const auto cpu_class = static_cast<CpuClass>(i);
    share[std::string(cpu_class_name(cpu_class))] = profile.share(cpu_class).value_or(0);
  }
  object["margin"] = or_null(profile.margin());
  return object;
}

ordered_json completeness_json(const Completeness& completeness) {
  ordered_json lost = ordered_json::object();
  for (const auto& [reason, count] : completeness.lost_by_reason) lost[valid_utf8(reason)] = count;
  ordered_json object = {{"lost_events", completeness.lost_events()},
                         {"lost", lost},
                         {"folded_rows", completeness.folded_rows},
                         {"in_flight_at_start", completeness.in_flight_at_start},
                         {"in_flight_at_end", completeness.in_flight_at_end},
                         {"compat_syscalls", completeness.compat_syscalls},
                         {"unfollowed_tasks", completeness.unfollowed_tasks}};
  if (completeness.verification)
    object["verification"] = verification_json(*completeness.verification);
  return object;
}

ordered_json row_json(const Row& row, const Measured& measured) {
  ordered_json object = {{"syscall", valid_utf8(row.syscall)},
                         {"from", kind_name(row.from)},
                         {"to", kind_name(row.to)},
                         {"copy", copy_name(row.copy)},
                         {"protocol", text_or_null(protocol_name(row.protocol))},
                         {"asynchronous", row.asynchronous}};
  append_fields<RowFigures>(object, row, kRowFields, [&](const auto& field) {
    return is_measured(row, measured, field.member, field.charged, field.clocked);
  });
  const bool timed = is_measured(row, measured, &RowFigures::wall_ns, false, true);
  object["wall_error_ns"] = timed ? ordered_json(row.wall_error_ns()) : ordered_json(nullptr);
  if (ordered_json unknown = unknown_of(row, measured); !unknown.empty())
    object["unknown"] = std::move(unknown);
  if (measured.sliced) object["estimate"] = estimate_json(row.sliced);
  object["errors_by"] = errors_json(row);
  ordered_json more = more_errors_json(row, object["errors_by"]);
  if (!more.empty()) object["more_errors_by"] = std::move(more);
  object["copies_evidence"] = text_or_null(evidence_name(row.copies_evidence()));
  object["verdict"] = text_or_null(verdict_name(row.verdict));
  if (row.verdict == Verdict::zerocopy_loopback) object["over_loopback"] = true;
  object["latency_ns"] = measured.latency ? latency_json(row) : ordered_json(nullptr);
  if (row.cpu.hz != 0) object["cpu_profile"] = cpu_profile_json(row.cpu);
  add_exact_json(object, row);
  return object;
}

ordered_json figures_json(const Process& sum, const Delivered& delivered,
                          const Measured& measured) {
  ordered_json object;
  append_figures(object, sum, delivered, measured);
  return object;
}

ordered_json report_json(const Report& report, std::string_view by, const ChannelLimits& limits) {
  const Totals totals = report.totals();
  std::map<std::string, std::string> unknown = report.unknown;
  const Measured measured = measured_of(report);
  if (!report.latency)
    for (const char* figure : {"wall_ns", "off_cpu_ns", "latency_ns"})
      unknown.try_emplace(figure, kNoLatency);
  if (!measured.copies)
    for (const char* figure : {"cpu_copied_bytes", "cpu_copied_measured_bytes", "uncopied_bytes",
                               "uncopied_measured_bytes", "cpu_copies_per_byte", "zero_copy_bytes",
                               "zero_copy_at_most_bytes", "zero_copy_share"})
      unknown.try_emplace(figure, kRequests);
  else if (any_keeps_most(report, totals))
    unknown.try_emplace("cpu_copies_per_byte", kKeepsMost);
  if (!totals.sum.disk_read_bytes())
    for (const char* figure : {"disk_read_bytes", "dirtied_bytes"})
      unknown.try_emplace(figure, kNotOfOperations);
  else if (!totals.sum.dirtied_bytes())
    unknown.try_emplace("dirtied_bytes", kNotInMemory);
  ordered_json object;
  object["schema"] = kSchema;
  object["command"] = valid_utf8(report.command);
  object["version"] = version();
  object["host"] = host_json(report.host);
  object["argv"] = words_json(report.argv);
  object["exit_code"] = or_null(report.exit_code);
  object["started_at"] = valid_utf8(report.started_at);
  object["duration_ns"] = report.duration_ns;
  object["latency_measured"] = report.latency;
  object["options"] = {{"syscalls", valid_utf8(report.selection)},
                       {"by", by.empty() ? ordered_json(nullptr) : ordered_json(by)},
                       {"timing", timing_name(report.timing())}};
  if (!report.targets.empty()) object["targets"] = valid_utf8(report.targets);
  if (report.duty)
    object["duty"] = {{"share", report.duty->share},
                      {"observed_ns", report.duty->observed_ns},
                      {"slices", report.duty->slices}};
  object["unknown"] = unknown;
  object["completeness"] = completeness_json(report.completeness);
  ordered_json& sum = object["totals"] = ordered_json::object();
  append_figures(sum, totals.sum, totals.delivered, measured);
  if (report.duty) sum["estimate"] = estimate_json(report.duty->sum);
  ordered_json& processes = object["processes"] = ordered_json::array();
  for (const Process& process : report.processes) {
    processes.push_back(process_json(process, measured));
    if (report.channels) add_channels_json(processes.back(), report, process, limits);
  }
  const Totals& others = report.others;
  ordered_json& rest = object["other_processes"] = {{"count", others.processes}};
  append_figures(rest, others.sum, others.delivered, measured);
  if (report.duty) rest["estimate"] = estimate_json(others.sum.sliced);
  if (report.channels) {
    add_channels_json(object, report, limits);
    add_flows_json(object, report, limits);
  }
  if (report.advice) object["advice"] = advice_json(*report.advice);
  return object;
}

}  // namespace zctrace
