// SPDX-License-Identifier: MIT
// Figures that are derived from others are not read: the model derives them again.
#include "cli/reading/report_reading.h"

#include <csignal>
#include <string>

#include "cli/reading/row_reading.h"
#include "cli/text/printable.h"
#include "cli/text/signal_name.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

std::int64_t pid_of(const JsonNode& object, std::string_view name) {
  const auto found = object.find(name);
  return found ? found->whole_number() : 0;
}

std::optional<int> small_number(const JsonNode& object, std::string_view name) {
  const auto found = object.find(name);
  if (!found) return std::nullopt;
  const std::int64_t number = found->whole_number();
  if (number < 0 || number > INT16_MAX) found->refuse("is out of range");
  return static_cast<int>(number);
}

std::optional<int> read_signal(const JsonNode& object, std::string_view name) {
  const auto found = object.find(name);
  if (!found) return std::nullopt;
  const std::string text = found->text();
  for (int signal = 0; signal <= SIGRTMAX; ++signal)
    if (signal_name(signal) == text) return signal;
  found->refuse("is not the name of a signal");
}

// Why charges are not known is derived again where the rows say it.
std::map<std::string, std::string> read_unknown(const JsonNode& object) {
  std::map<std::string, std::string> unknown;
  const auto found = object.find("unknown");
  if (!found) return unknown;
  for (const auto& [figure, why] : found->members()) unknown[figure] = why.wording();
  const auto is = [&unknown](const char* figure, const char* why) {
    const auto place = unknown.find(figure);
    return place != unknown.end() && place->second == why;
  };
  if (is("disk_read_bytes", kNotOfOperations)) {
    unknown.erase("disk_read_bytes");
    if (is("dirtied_bytes", kNotOfOperations)) unknown.erase("dirtied_bytes");
  } else if (!unknown.contains("disk_read_bytes") && is("dirtied_bytes", kNotInMemory)) {
    unknown.erase("dirtied_bytes");
  }
  return unknown;
}

// What append_figures() writes.
void read_figures(const JsonNode& object, Process& process) {
  read_fields<ProcessFigures>(object, process, kProcessFields);
  const JsonNode outside = object.at("outside_syscalls");
  read_fields(outside, process.outside_syscalls, kOutsideFields);
  process.rows = read_rows(object, object.find("counted_rows") ? "counted_rows" : "rows");
  process.sliced = read_sliced_sum(object);
  read_pipes(object, process);
  process.cpu_outside = read_cpu_profile(object);
  for (const Row& row : process.rows) process.cpu_outside -= row.cpu;
}

ProcessOwner read_owner(const JsonNode& object) {
  ProcessOwner owner;
  const auto found = object.find("owner");
  if (!found) return owner;
  visit_owner(owner, [&found](const char* name, std::string& text) {
    if (const auto member = found->find(name)) text = member->text();
  });
  return owner;
}

Process read_process(const JsonNode& object) {
  Process process;
  process.pid = object.at("pid").whole_number();
  process.tid = pid_of(object, "tid");
  process.parent_pid = pid_of(object, "parent_pid");
  process.name = object.at("name").text();
  process.argv = object.texts_of("argv");
  process.owner = read_owner(object);
  process.start_ns = object.count_of("started_ns");
  process.end_ns = object.count_or_null("ended_ns");
  process.exit_code = small_number(object, "exit_code");
  process.signal = read_signal(object, "signal");
  read_figures(object, process);
  return process;
}

Delivered read_delivered(const JsonNode& object) {
  // A mount does not know how often the bytes were copied.
  const std::uint64_t zero_copy = object.count_or_null("zero_copy_bytes").value_or(0);
  return {object.at("delivered_bytes").count(), object.at("kernel_only_bytes").count(), zero_copy,
          object.count_or_null("zero_copy_at_most_bytes").value_or(zero_copy)};
}

CounterCheck read_check(const JsonNode& object) {
  return {object.at("kernel").count(), object.at("counted").count(),
          object.at("difference").count(), object.count_or_null("margin")};
}

Verification::WaitedCounters read_waited(const JsonNode& object, std::int64_t pid) {
  Verification::WaitedCounters waited{pid, {}, {}};
  for (std::size_t i = 0; i < kKernelCounters; ++i) {
    const JsonNode counter = object.at(kernel_counter_name(static_cast<KernelCounter>(i)));
    waited.kernel[i] = counter.at("kernel").count();
    waited.observed[i] = counter.at("observed").count();
  }
  return waited;
}

Verification::Difference read_difference(const JsonNode& object) {
  return {object.at("pid").whole_number(), object.at("with_descendants").boolean(),
          value_named(object.at("counter"), "counter", KernelCounter::syscr,
                      KernelCounter::involuntary, kernel_counter_name),
          object.at("kernel").count(), object.at("counted").count()};
}

Verification read_verification(const JsonNode& object) {
  Verification verification;
  verification.compared = object.at("compared_processes").count();
  const JsonNode reasons = object.at("not_compared");
  for (const auto& [reason, count] : reasons.members())
    verification.not_compared[printable(reason, true)] = count.count();
  if (const auto why = object.find("io_not_verified"))
    verification.io_not_verified = why->wording();
  for (std::size_t i = 0; i < kKernelCounters; ++i)
    if (const auto check = object.find(kernel_counter_name(static_cast<KernelCounter>(i))))
      verification.counters[i] = read_check(*check);
  if (const auto reaped = object.find("reaped"))
    verification.waited_children = read_waited(*reaped, pid_of(object, "reaped_pid"));
  const JsonNode differences = object.at("differences");
  for (const JsonNode& one : differences.elements())
    verification.differences.push_back(read_difference(one));
  verification.lost_operations = object.count_of("lost_operations");
  return verification;
}

}  // namespace

Host read_host(const JsonNode& object) {
  const JsonNode host = object.at("host");
  const std::uint64_t cpus = host.at("cpus").count();
  if (cpus > UINT16_MAX) host.at("cpus").refuse("is out of range");
  return {host.at("kernel").text(), host.at("arch").text(), static_cast<unsigned>(cpus)};
}

Completeness read_completeness(const JsonNode& object) {
  const JsonNode part = object.at("completeness");
  Completeness completeness;
  if (const auto lost = part.find("lost"))
    for (const auto& [reason, count] : lost->members())
      completeness.lost_by_reason[reason] = count.count();
  completeness.folded_rows = part.count_of("folded_rows");
  completeness.in_flight_at_start = part.count_of("in_flight_at_start");
  completeness.in_flight_at_end = part.count_of("in_flight_at_end");
  completeness.compat_syscalls = part.count_of("compat_syscalls");
  completeness.unfollowed_tasks = part.count_of("unfollowed_tasks");
  if (const auto verification = part.find("verification"))
    completeness.verification = read_verification(*verification);
  return completeness;
}

Report read_report(const JsonNode& object) {
  Report report;
  report.command = object.at("command").wording();
  report.host = read_host(object);
  report.argv = object.texts_of("argv");
  report.targets = object.text_of("targets");
  report.exit_code = small_number(object, "exit_code");
  report.started_at = object.at("started_at").wording();
  report.duration_ns = object.at("duration_ns").count();
  report.latency = object.boolean_of("latency_measured", true);
  report.unknown = read_unknown(object);
  if (const auto options = object.find("options")) {
    report.selection = options->wording_of("syscalls", report.selection);
    report.adaptive = options->wording_of("timing", "") == timing_name(Timing::adaptive);
  }
  if (const auto duty = object.find("duty")) {
    const double share = duty->at("share").number();
    if (!(share > 0 && share < 1)) duty->at("share").refuse("must be between 0 and 1");
    report.duty = {share, duty->at("observed_ns").count(), duty->at("slices").count(),
                   read_sliced_sum(object.at("totals"))};
  }
  report.completeness = read_completeness(object);
  const JsonNode processes = object.at("processes");
  for (const JsonNode& process : processes.elements())
    report.processes.push_back(read_process(process));
  if (const auto others = object.find("other_processes")) {
    report.others.processes = others->at("count").count();
    read_figures(*others, report.others.sum);
    report.others.delivered = read_delivered(*others);
  }
  read_flows(object, report);
  read_mount(object, report);
  read_advice(object, report);
  return report;
}

}  // namespace zctrace
