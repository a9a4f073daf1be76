// SPDX-License-Identifier: MIT
// The wording of the facts above and below the tables.
#include "cli/views/report/report_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "cli/text/errno_name.h"
#include "cli/text/printable.h"
#include "cli/text/signal_name.h"
#include "cli/text/units.h"
#include "cli/views/report/verification_facts.h"
#include "collector/model/process_summary.h"

namespace zctrace {
namespace {

std::uint64_t rounded(double number) { return static_cast<std::uint64_t>(std::llround(number)); }

// The signal that ended the command, if one did; the first process is the command.
std::optional<int> ending_signal(const Report& report) {
  if (!report.exit_code || report.processes.empty()) return std::nullopt;
  const Process& command = report.processes.front();
  return command.exit_code == report.exit_code ? command.signal : std::nullopt;
}

std::string cpu_text(const Process& process) {
  const std::string cpu = format_ns(process.user_ns + process.system_ns) + " CPU";
  const auto share = system_share(process);
  return share ? fmt::format("{} ({:.0f}% in the kernel)", cpu, 100 * *share) : cpu;
}

std::string switches_in_words(const std::string& voluntary, const std::string& involuntary) {
  return fmt::format("{} voluntary and {} involuntary switches", voluntary, involuntary);
}

}  // namespace

bool has_threads(const Report& report) {
  return std::any_of(report.processes.begin(), report.processes.end(),
                     [](const Process& process) { return process.tid != 0; });
}

std::string report_title(const Report& report, const Wording& wording) {
  if (!report.targets.empty()) return "Report on " + printable(report.targets, wording.unicode);
  // For run this is the command line of the command, otherwise that of zctrace.
  if (report.command != "run" && report.argv.size() > 1)
    return "zctrace " + shell_words({report.argv.begin() + 1, report.argv.end()}, wording.unicode);
  const std::string command = shell_words(report.argv, wording.unicode);
  if (command.empty()) return "zctrace " + printable(report.command, wording.unicode);
  return "Report on " + command;
}

std::string process_title(const Process& process, const Wording& wording) {
  std::string title = fmt::format("{} {}", printable(process.name, wording.unicode), process.pid);
  if (process.tid != 0) title += fmt::format(" thread {}", process.tid);
  if (const std::string container = process.owner.container_text(); !container.empty())
    title += " in " + printable(container, wording.unicode);
  const std::string command = shell_words(process.argv, wording.unicode);
  return command.empty() ? title : fmt::format("{}: {}", title, command);
}

std::vector<std::string> report_circumstances(const Report& report, const Wording& wording) {
  std::vector<std::string> items;
  if (const auto signal = ending_signal(report))
    items.push_back("killed by " + signal_name(*signal));
  else if (report.exit_code)
    items.push_back(fmt::format("exit {}", *report.exit_code));
  items.push_back(format_ns(report.duration_ns));
  const std::uint64_t all = report.processes.size() + report.others.processes;
  if (has_threads(report)) {
    items.push_back(plural(all, "thread", "threads"));
  } else if (report.processes.size() == 1 && all == 1) {
    items.push_back(fmt::format("pid {}", report.processes.front().pid));
    items.push_back(plural(report.processes.front().threads, "thread", "threads"));
  } else {
    items.push_back(plural(all, "process", "processes"));
  }
  for (std::string& item : host_items(report.host, wording.unicode))
    items.push_back(std::move(item));
  return items;
}

std::vector<std::string> host_items(const Host& host, bool unicode) {
  return {
      fmt::format("Linux {} {}", printable(host.kernel, unicode), printable(host.arch, unicode)),
      plural(host.cpus, "CPU", "CPUs")};
}

std::vector<std::string> resource_items(const Process& process, bool is_sum) {
  return {cpu_text(process),
          fmt::format("{} minor and {}", format_count(process.minor_faults),
                      plural(process.major_faults, "major fault", "major faults")),
          fmt::format("peak RSS {}{}", format_bytes(process.max_rss_bytes),
                      is_sum ? " (the largest)" : ""),
          switches_in_words(format_count(process.voluntary_switches()),
                            format_count(process.involuntary_switches()))};
}

// Time off the CPU in calls that move bytes: how long a process waits for work says nothing about
// what moving a GB takes.
std::uint64_t moving_off_cpu_ns(const Process& process) {
  std::uint64_t sum = 0;
  for (const Row& row : process.rows)
    if (row.copy != Copy::none) sum += row.off_cpu_ns;
  return sum;
}

// Whether bytes went into a pipe and out of one without user space: they are in two rows.
bool passes_through_a_pipe(const Process& process) {
  const auto has = [&process](Kind Row::*end) {
    return std::any_of(process.rows.begin(), process.rows.end(), [end](const Row& row) {
      return row.copy == Copy::in_kernel && row.*end == Kind::pipe && row.bytes > 0;
    });
  };
  return has(&Row::from) && has(&Row::to);
}

// "1.00 per delivered byte", "256.0 MiB", "99.9% measured"; "10.0 MiB, hardly any of it passed on"
Fact copies_fact(const Process& process, const Delivered& delivered) {
  const ProcessSummary summary = summary_of(process, delivered);
  Fact fact{"cpu copies", {}};
  if (const auto copies = summary.copies_per_byte())
    fact.items.push_back(fmt::format("{:.2f} per delivered byte", *copies));
  fact.items.push_back(format_bytes(summary.cpu_copied_bytes));
  if (delivered.bytes != 0 && summary.keeps_most())
    fact.items.push_back(fmt::format("of {} received, only {} passed on",
                                     format_bytes(summary.received_bytes),
                                     format_bytes(delivered.bytes)));
  // Also of bytes that no CPU copied: a rule may say so as well.
  if (const auto measured = process.measured_share())
    fact.items.push_back(*measured == 0 ? "by rule" : percent_text(*measured) + " measured");
  return fact;
}

// "1 ENOSPC in write", the most frequent first, of calls that move bytes. Others fail all the time:
// programs look for files by trying names.
std::optional<Fact> errors_fact(const Process& process) {
  constexpr std::size_t kNamed = 4;
  std::map<std::pair<std::string, unsigned>, std::uint64_t> counts;
  for (const Row& row : process.rows) {
    if (row.copy == Copy::none) continue;
    for (const auto& [error, count] : row.errors_by) counts[{row.syscall, error}] += count;
  }
  std::vector<std::pair<std::uint64_t, std::string>> errors;
  std::uint64_t rest = 0;
  for (const auto& [where, count] : counts)
    errors.emplace_back(count, fmt::format("{} {} in {}", format_count(count),
                                           errno_name(where.second), where.first));
  std::stable_sort(errors.begin(), errors.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (errors.empty()) return std::nullopt;
  Fact fact{"errors", {}};
  for (std::size_t i = 0; i < errors.size(); i++) {
    if (i < kNamed)
      fact.items.push_back(errors[i].second);
    else
      rest += errors[i].first;
  }
  if (rest != 0) fact.items.push_back(plural(rest, "other", "others"));
  return fact;
}

// "write: asked for direct, got buffered". The column that says so is one of the first to be
// hidden.
std::optional<Fact> not_as_asked_fact(const Process& process) {
  Fact fact{"not as asked", {}, Tone::warning};
  for (const Row& row : process.rows) {
    if (!is_not_as_asked(row.verdict)) continue;
    std::string item = fmt::format(
        "{}: {}{}", row.syscall, verdict_text(row.verdict),
        row.verdict == Verdict::zerocopy_loopback ? ", where the kernel always copies" : "");
    if (std::find(fact.items.begin(), fact.items.end(), item) == fact.items.end())
      fact.items.push_back(std::move(item));
  }
  if (fact.items.empty()) return std::nullopt;
  return fact;
}

Fact share_fact(const char* label, std::optional<double> share, const char* of_what) {
  if (!share) return {label, {"- (nothing was delivered)"}};
  return {label, {percent_text(*share) + of_what}};
}

std::vector<Fact> derived_facts(const Process& process, const Delivered& delivered,
                                const Wording& wording) {
  std::vector<Fact> facts;
  Fact syscalls{"syscalls", {format_count(process.syscalls())}};
  if (process.crossings() != 0)
    syscalls.items.front() += fmt::format(" ({} crossings into and out of the kernel)",
                                          format_count(process.crossings()));
  if (std::any_of(process.rows.begin(), process.rows.end(),
                  [](const Row& row) { return row.asynchronous; })) {
    syscalls.items.push_back("operations of io_uring and AIO are not syscalls");
  }
  facts.push_back(std::move(syscalls));
  if (auto errors = errors_fact(process)) facts.push_back(std::move(*errors));
  facts.push_back({"copied", {format_bytes(process.copied_bytes()) + " through user space"}});
  Fact in_kernel{"in kernel", {format_bytes(process.in_kernel_bytes())}};
  if (passes_through_a_pipe(process))
    in_kernel.items.emplace_back(
        "bytes spliced through a pipe count twice, going in and coming out");
  facts.push_back(std::move(in_kernel));
  std::uint64_t claimed = 0;
  for (const Row& row : process.rows) claimed += row.claimed_bytes;
  if (claimed > 0)
    facts.push_back({"claimed",
                     {format_bytes(claimed) + " of these by the processes themselves: the kernel "
                                              "leaves the sizes in their memory"}});
  const std::uint64_t delivered_bytes = delivered.bytes;
  facts.push_back({"delivered", {format_bytes(delivered_bytes)}});
  facts.push_back(copies_fact(process, delivered));
  if (auto warning = not_as_asked_fact(process)) facts.push_back(std::move(*warning));
  facts.push_back(share_fact("kernel-only", delivered.kernel_only_share(),
                             " of it without passing through user space"));
  facts.push_back(share_fact("zero-copy share", delivered.zero_copy_share(), ""));
  const auto share = delivered.zero_copy_share();
  if (!share) return facts;
  Fact& zero_copy = facts.back();
  if (!wording.narrow) zero_copy.items.back() += " " + share_bar(*share, wording.unicode);
  if (delivered.zero_copy_is_bound()) {
    zero_copy.items.back().insert(0, "at least ");
    zero_copy.items.push_back(
        fmt::format("at most {}: the lent bytes may be some that were copied in before",
                    percent_text(delivered.per_byte(delivered.zero_copy_at_most).value_or(0))));
  }
  if (*share > 0) facts.back().tone = Tone::good;
  if (delivered_bytes < kPerGbFloor) {
    facts.push_back(
        {"per GB", {"too little was delivered to extrapolate (--json has the figures)"}});
    return facts;
  }
  const auto each = [delivered_bytes](std::uint64_t count) {
    return per_gb(count, delivered_bytes).value_or(0);
  };
  Fact per{"per GB", {}};
  per.items = {fmt::format("{} syscalls", amount_text(each(process.syscalls()))),
               fmt::format("{} crossings", amount_text(each(process.crossings()))),
               fmt::format("{} copied", format_bytes(rounded(each(process.copied_bytes())))),
               format_ns(rounded(each(process.user_ns + process.system_ns))) + " CPU"};
  if (wording.latency) {
    per.items.push_back(fmt::format("{} off CPU in data calls",
                                    format_ns(rounded(each(moving_off_cpu_ns(process))))));
  }
  per.items.push_back(switches_in_words(amount_text(each(process.voluntary_switches())),
                                        amount_text(each(process.involuntary_switches()))));
  per.items.push_back(
      fmt::format("{} faults", amount_text(each(process.minor_faults + process.major_faults))));
  facts.push_back(std::move(per));
  return facts;
}

std::vector<Fact> duty_facts(const Report& report, const Process& sum) {
  if (!report.duty) return {};
  const Duty& duty = *report.duty;
  Fact fact{"ESTIMATES", {}, Tone::warning};
  fact.items.push_back(fmt::format("from {}, {} of {} (--duty)",
                                   plural(duty.slices, "slice", "slices"),
                                   format_ns(duty.observed_ns), format_ns(report.duration_ns)));
  const auto error = [&](const char* what, std::uint64_t value, double variance) {
    const auto off = sliced_error(variance, duty.sum.slices);
    if (off && value != 0)
      fact.items.push_back(fmt::format(
          "{} ± {:.2g}%", what, 100 * static_cast<double>(*off) / static_cast<double>(value)));
  };
  error("syscalls", sum.syscalls(), duty.sum.syscalls_variance);
  error("delivered", sum.delivered_bytes(), duty.sum.delivered_bytes_variance);
  error("cpu copies", sum.cpu_copied_bytes(), duty.sum.cpu_copied_bytes_variance);
  if (duty.sum.slices < kLeastSlices)
    fact.items.push_back(
        fmt::format("how far off is not known with calls in fewer than {} slices", kLeastSlices));
  fact.items.push_back("CPU time, faults and memory are exact");
  return {std::move(fact)};
}

std::vector<Fact> completeness_facts(const Completeness& completeness, bool sliced) {
  const std::uint64_t lost = completeness.lost_events();
  std::vector<Fact> facts;
  const bool whole = lost + completeness.compat_syscalls + completeness.unfollowed_tasks == 0;
  // The rest is said only where there is any, so that a zero does not look like a finding.
  Fact complete{"completeness",
                {plural(lost, "event lost", "events lost")},
                whole ? Tone::plain : Tone::warning};
  const std::uint64_t at_start = completeness.in_flight_at_start;
  const std::uint64_t at_end = completeness.in_flight_at_end;
  if (at_start != 0)
    complete.items.push_back(plural(at_start, "call", "calls") + " in flight at the start");
  if (at_end != 0)
    complete.items.push_back(plural(at_end, "call", "calls") + " in flight at the end");
  if (completeness.compat_syscalls != 0)
    complete.items.push_back(plural(completeness.compat_syscalls, "32-bit call", "32-bit calls"));
  if (completeness.unfollowed_tasks != 0)
    complete.items.push_back(
        plural(completeness.unfollowed_tasks, "task not followed", "tasks not followed"));
  if (sliced)
    complete.items.push_back("in the slices");
  else if (complete.items.size() == 1 && lost == 0)
    complete.items.push_back("nothing left out");
  facts.push_back(std::move(complete));
  if (lost > 0) {
    Fact warning{"LOST", {}, Tone::warning};
    for (const auto& [reason, count] : completeness.lost_by_reason) {
      if (count > 0) {
        warning.items.push_back(
            fmt::format("{} {}", printable(reason, false), format_count(count)));
      }
    }
    warning.items.push_back("the counts above are too low by that much");
    facts.push_back(std::move(warning));
  }
  if (completeness.folded_rows > 0)
    facts.push_back({"folded",
                     {plural(completeness.folded_rows, "row", "rows") +
                      " found no space; their calls and bytes are in the rows \"(folded)\""},
                     Tone::warning});
  if (completeness.verification)
    for (Fact& fact : verification_facts(*completeness.verification))
      facts.push_back(std::move(fact));
  return facts;
}

}  // namespace zctrace
