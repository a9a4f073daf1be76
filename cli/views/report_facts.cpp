// SPDX-License-Identifier: MIT
// The wording of what stands beside the tables.
#include "cli/views/report_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/verification_facts.h"

namespace zctrace {
namespace {

std::uint64_t rounded(double number) { return static_cast<std::uint64_t>(std::llround(number)); }

}  // namespace

bool has_threads(const Report& report) {
  return std::any_of(report.processes.begin(), report.processes.end(),
                     [](const Process& process) { return process.tid != 0; });
}

std::string report_title(const Report& report, const Wording& wording) {
  // Of run it is the command, of the others zctrace's own line, which names them already.
  if (report.command != "run" && report.argv.size() > 1)
    return "zctrace " + shell_words({report.argv.begin() + 1, report.argv.end()}, wording.unicode);
  const std::string command = shell_words(report.argv, wording.unicode);
  return fmt::format("zctrace {}{}{}", printable(report.command, wording.unicode),
                     command.empty() ? "" : ": ", command);
}

std::string process_title(const Process& process, const Wording& wording) {
  std::string title = fmt::format("{} {}", printable(process.name, wording.unicode), process.pid);
  if (process.tid != 0) title += fmt::format(" thread {}", process.tid);
  const std::string command = shell_words(process.argv, wording.unicode);
  return command.empty() ? title : fmt::format("{}: {}", title, command);
}

std::vector<std::string> report_circumstances(const Report& report, const Wording& wording) {
  std::vector<std::string> items;
  if (report.exit_code) items.push_back(fmt::format("exit {}", *report.exit_code));
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
  items.push_back(fmt::format("Linux {} {}", printable(report.host.kernel, wording.unicode),
                              printable(report.host.arch, wording.unicode)));
  items.push_back(plural(report.host.cpus, "CPU", "CPUs"));
  return items;
}

std::vector<std::string> resource_items(const Process& process, bool is_sum) {
  return {fmt::format("{} user", format_ns(process.user_ns)),
          fmt::format("{} system", format_ns(process.system_ns)),
          fmt::format("{} minor and {} major faults", format_count(process.minor_faults),
                      format_count(process.major_faults)),
          fmt::format("peak RSS {}{}", format_bytes(process.max_rss_bytes),
                      is_sum ? " (the largest)" : ""),
          fmt::format("{} voluntary and {} involuntary switches",
                      format_count(process.voluntary_switches()),
                      format_count(process.involuntary_switches()))};
}

std::vector<Fact> derived_facts(const Process& process, std::uint64_t delivered_bytes,
                                std::uint64_t zero_copy_bytes, const Wording& wording) {
  std::vector<Fact> facts;
  Fact crossings{
      "crossings",
      {format_count(process.crossings()),
       fmt::format("two for each of {}", plural(process.syscalls(), "syscall", "syscalls"))}};
  if (std::any_of(process.rows.begin(), process.rows.end(),
                  [](const Row& row) { return row.asynchronous; })) {
    crossings.items.push_back("none for io_uring operations");
  }
  facts.push_back(std::move(crossings));
  facts.push_back({"copied", {format_bytes(process.copied_bytes()) + " through user space"}});
  facts.push_back({"in kernel", {format_bytes(process.in_kernel_bytes())}});
  if (delivered_bytes == 0) {
    facts.push_back({"delivered", {"0 B"}});
    facts.push_back({"zero-copy share", {"- (nothing was delivered)"}});
    return facts;
  }
  const double share = static_cast<double>(zero_copy_bytes) / static_cast<double>(delivered_bytes);
  facts.push_back(
      {"delivered",
       {format_bytes(delivered_bytes), fmt::format("{} of it without passing through user space",
                                                   format_bytes(zero_copy_bytes))}});
  facts.push_back({"zero-copy share",
                   {fmt::format("{} {}", percent_text(share), share_bar(share, wording.unicode))},
                   share > 0 ? Tone::good : Tone::plain});
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
               fmt::format("{} user", format_ns(rounded(each(process.user_ns)))),
               fmt::format("{} system", format_ns(rounded(each(process.system_ns))))};
  if (wording.latency) {
    per.items.push_back(fmt::format("{} off CPU", format_ns(rounded(each(process.off_cpu_ns())))));
  }
  per.items.push_back(fmt::format("{} voluntary and {} involuntary switches",
                                  amount_text(each(process.voluntary_switches())),
                                  amount_text(each(process.involuntary_switches()))));
  per.items.push_back(
      fmt::format("{} faults", amount_text(each(process.minor_faults + process.major_faults))));
  facts.push_back(std::move(per));
  return facts;
}

std::vector<Fact> completeness_facts(const Completeness& completeness) {
  const std::uint64_t lost = completeness.lost_events();
  std::vector<Fact> facts;
  const bool whole = lost + completeness.compat_syscalls + completeness.unfollowed_tasks == 0;
  facts.push_back({"completeness",
                   {fmt::format("lost {}", format_count(lost)),
                    fmt::format("in flight {}/{}", format_count(completeness.in_flight_at_start),
                                format_count(completeness.in_flight_at_end)),
                    fmt::format("compat {}", format_count(completeness.compat_syscalls)),
                    fmt::format("unfollowed {}", format_count(completeness.unfollowed_tasks))},
                   whole ? Tone::plain : Tone::warning});
  if (lost > 0) {
    Fact warning{"LOST", {}, Tone::warning};
    for (const auto& [reason, count] : completeness.lost_by_reason) {
      if (count > 0) {
        warning.items.push_back(
            fmt::format("{} {}", printable(reason, false), format_count(count)));
      }
    }
    warning.items.push_back("the counts above are too low by these");
    facts.push_back(std::move(warning));
  }
  if (completeness.verification)
    for (Fact& fact : verification_facts(*completeness.verification))
      facts.push_back(std::move(fact));
  return facts;
}

}  // namespace zctrace
