// SPDX-License-Identifier: MIT
// Every sentence states a difference that is larger than the spread of the runs, or an exact count.
#include "cli/compare/insights.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/compare/ranking.h"
#include "cli/compare/sentences.h"
#include "cli/compare/verdict.h"
#include "cli/text/printable.h"
#include "cli/text/units.h"

namespace zctrace {
namespace {

using Lines = std::vector<std::string>;

std::uint64_t switches(const MethodResult& result) {
  return result.counts.voluntary_switches() + result.counts.involuntary_switches();
}

void say_fewest_syscalls(const CompareResult& compared, Lines& lines) {
  const MethodResult* baseline = compared.baseline_row();
  if (baseline == nullptr || !baseline->counted()) return;
  const MethodResult* fewest = nullptr;
  for (const MethodResult& result : compared.methods)
    if (result.counted() &&
        (fewest == nullptr || result.counts.syscalls() < fewest->counts.syscalls()))
      fewest = &result;
  if (fewest == nullptr || fewest->counts.syscalls() >= baseline->counts.syscalls()) return;
  const bool more_switches = switches(*fewest) > switches(*baseline);
  lines.push_back(
      fmt::format("{} used {} and {}; {} used {} and {}.{}", fewest->label,
                  plural(fewest->counts.syscalls(), "syscall", "syscalls"),
                  plural(switches(*fewest), "context switch", "context switches"), baseline->label,
                  format_count(baseline->counts.syscalls()), format_count(switches(*baseline)),
                  more_switches ? " Fewer syscalls do not mean fewer context switches." : ""));
}

void say_copies(const CompareResult& compared, Lines& lines) {
  Rows without;
  Rows unseen;
  const MethodResult* most = nullptr;
  for (const MethodResult& result : compared.methods) {
    if (!result.counted() || result.bytes == 0) continue;
    const bool daemon_copied = result.daemon && result.daemon->usage.copied_bytes != 0;
    if (result.copies_in_user_space)
      unseen.push_back(&result);
    else if (result.counts.copied_bytes() == 0 && !daemon_copied)
      without.push_back(&result);
    if (most == nullptr || result.counts.copied_bytes() > most->counts.copied_bytes())
      most = &result;
  }
  if (!without.empty() && most->counts.copied_bytes() != 0)
    lines.push_back(fmt::format(
        "{} copied no byte through user space{}; {} copied {} to move {}.",
        listed(labels_of(without)), compared.fuse ? ", nor did the daemon" : "", most->label,
        format_bytes(most->counts.copied_bytes()), format_bytes(most->bytes)));
  if (!unseen.empty())
    lines.push_back(fmt::format(
        "{} {} every byte in user space by loads and stores, which COPIED does not show.",
        listed(labels_of(unseen)), unseen.size() == 1 ? "copies" : "copy"));
}

// Rows of methods that promise to copy nothing, by what the experiment found.
void say_references(const CompareResult& compared, Lines& lines) {
  Rows passed;
  Rows copied;
  for (const MethodResult& result : compared.methods) {
    if (!result.timed() || !result.copies || result.copies->user > 0) continue;
    if (result.copies->kernel > 0 && result.notifications == 0) copied.push_back(&result);
    if (result.copies->kernel == 0 && result.copies->evidence == "aliasing")
      passed.push_back(&result);
  }
  if (!passed.empty())
    lines.push_back(
        fmt::format("{} passed every byte by reference: what changed in the source "
                    "after the call changed at the reader.",
                    listed(labels_of(passed))));
  if (!copied.empty())
    lines.push_back(fmt::format("{} took no byte through user space, but the kernel copied them.",
                                listed(labels_of(copied))));
}

void say_unknown_copies(const CompareResult& compared, Lines& lines) {
  std::map<std::string, Lines> by_reason;
  for (const MethodResult& result : compared.methods)
    if (result.timed() && !result.copies && !result.copies_unknown.empty())
      by_reason[result.copies_unknown].push_back(result.label);
  for (const auto& [reason, labels] : by_reason)
    lines.push_back(
        fmt::format("COPIES is unknown for {}: {}.",
                    by_reason.size() == 1 && compared.fuse ? "all rows" : listed(labels),
                    printable(reason, false)));
}

// The buffer size from which on a larger one gains a method less than a tenth.
void say_buffers(const CompareResult& compared, Lines& lines) {
  std::map<std::string, Rows> by_method;
  for (const MethodResult& result : compared.methods) {
    if (!time_means_something(compared, result) || !result.buffer_bytes) continue;
    const std::string daemon =
        result.daemon ? fmt::format("/{}", fuse_mode_label(result.daemon->mode)) : "";
    by_method[result.method + daemon].push_back(&result);
  }
  for (auto& [method, sizes] : by_method) {
    if (sizes.size() < 3) continue;
    std::sort(sizes.begin(), sizes.end(), [](const MethodResult* a, const MethodResult* b) {
      return *a->buffer_bytes < *b->buffer_bytes;
    });
    double best = median_of(sizes.front()->wall_ns);
    for (const MethodResult* size : sizes) best = std::min(best, median_of(size->wall_ns));
    const auto enough = std::find_if(sizes.begin(), sizes.end(), [&](const MethodResult* size) {
      return median_of(size->wall_ns) <= 1.1 * best;
    });
    if (*enough == sizes.back() || !clearly_less((*enough)->wall_ns, sizes.front()->wall_ns))
      continue;
    lines.push_back(
        fmt::format("{}: a buffer larger than {} gains less than 10%.", method, (*enough)->buffer));
  }
}

void say_notifications(const CompareResult& compared, Lines& lines) {
  for (const MethodResult& result : compared.methods)
    if (result.timed() && result.copied_notifications != 0)
      lines.push_back(fmt::format(
          "{}: the kernel copied the bytes after all{}, according to {} of {}.", result.label,
          compared.sink_kind == "tcp" ? " (the loopback always does)" : "",
          format_count(result.copied_notifications),
          plural(result.notifications, "notification", "notifications")));
}

// The row with the same method and buffer and a daemon that copies; nullptr: none was timed.
const MethodResult* copying_twin(const CompareResult& compared, const MethodResult& result) {
  for (const MethodResult& other : compared.methods)
    if (other.timed() && other.daemon->mode == FuseMode::copy && other.method == result.method &&
        other.buffer == result.buffer)
      return &other;
  return nullptr;
}

void say_daemon_share(const CompareResult& compared, Lines& lines) {
  std::vector<double> shares;
  for (const MethodResult& result : compared.methods)
    if (result.timed() && cpu_ns(result) > 0)
      shares.push_back(median_of(result.daemon_cpu_ns()) / cpu_ns(result));
  if (!shares.empty())
    lines.push_back(
        fmt::format("The daemon took {:.0f}% of the CPU time of client and daemon together{}.",
                    100 * median_of(shares), shares.size() == 1 ? "" : " (median of the rows)"));
}

void say_daemon_splice(const CompareResult& compared, Lines& lines) {
  std::vector<double> syscalls;
  std::size_t faster = 0;
  std::size_t slower = 0;
  for (const MethodResult& result : compared.methods) {
    if (!result.counted() || result.daemon->mode != FuseMode::splice) continue;
    const MethodResult* twin = copying_twin(compared, result);
    if (twin == nullptr || !twin->counted() || twin->daemon->counts.syscalls() == 0) continue;
    faster += clearly_less(result.wall_ns, twin->wall_ns);
    slower += clearly_less(twin->wall_ns, result.wall_ns);
    syscalls.push_back(static_cast<double>(result.daemon->counts.syscalls()) /
                       static_cast<double>(twin->daemon->counts.syscalls()));
  }
  if (syscalls.empty()) return;
  std::string times;
  if (compared.rounds_done >= kLeastToRank)
    times = fmt::format("; of {} of rows, {} ran clearly faster with splice and {} clearly slower",
                        plural(syscalls.size(), "pair", "pairs"), faster, slower);
  lines.push_back(
      fmt::format("A daemon that splices makes {} times as many syscalls as one that copies{}.",
                  times_text(median_of(syscalls)), times));
}

void say_observing(const CompareResult& compared, Lines& lines) {
  if (compared.rounds_done < kLeastToRank) return;
  if (const auto cost = cost_of_observing(compared))
    lines.push_back(fmt::format(
        "Observing added {:.0f}% to the time ({:.0f}% to {:.0f}%, by one observed run "
        "of each of {} rows); the times above were taken without it.",
        100 * cost->added, 100 * cost->interval.low, 100 * cost->interval.high, cost->rows));
  else if (std::any_of(compared.methods.begin(), compared.methods.end(),
                       [](const MethodResult& row) { return row.counted(); }))
    lines.push_back(
        "The cost of observing is not measurable here: it lies within the spread of the runs.");
}

void warn_of_outliers(const CompareResult& compared, Lines& lines) {
  Lines rows;
  std::size_t far = 0;
  std::size_t all = 0;
  for (const MethodResult& result : compared.methods) {
    const double median = median_of(result.wall_ns);
    const auto late =
        static_cast<std::size_t>(std::count_if(result.wall_ns.begin(), result.wall_ns.end(),
                                               [&](double wall) { return wall > 1.5 * median; }));
    all += result.wall_ns.size();
    far += late;
    if (late != 0) rows.push_back(result.label);
  }
  if (far != 0)
    lines.push_back(
        fmt::format("{} of {} took more than 1.5 times the median of their row ({}): other work "
                    "probably kept the machine busy.",
                    format_count(far), plural(all, "run", "runs"), listed(rows)));
}

}  // namespace

Lines findings(const CompareResult& compared) {
  Lines lines;
  say_fewest_syscalls(compared, lines);
  say_copies(compared, lines);
  say_references(compared, lines);
  say_unknown_copies(compared, lines);
  say_buffers(compared, lines);
  say_notifications(compared, lines);
  if (compared.fuse) {
    say_daemon_share(compared, lines);
    say_daemon_splice(compared, lines);
  }
  say_observing(compared, lines);
  return lines;
}

Lines insights(const CompareResult& compared) {
  Lines lines = verdict(compared);
  for (std::string& line : findings(compared)) lines.push_back(std::move(line));
  return lines;
}

Lines warnings(const CompareResult& compared) {
  Lines lines;
  for (const LeftOutMode& left_out : compared.left_out)
    lines.push_back(
        fmt::format("no row for {}: {}", fuse_mode_name(left_out.mode), left_out.reason));
  warn_of_outliers(compared, lines);
  for (const MethodResult& result : compared.methods) {
    if (result.verified == false)
      lines.push_back(
          fmt::format("{}: the bytes that arrived differ from the source.", result.label));
    else if (result.timed() && result.error)
      lines.push_back(
          fmt::format("{}: a later run failed, so it is not compared with the other rows: {}",
                      result.label, printable(*result.error, false)));
    else if (result.timed() && !time_means_something(compared, result))
      lines.push_back(fmt::format(
          "{}: writing a mapping to /dev/null touches no page, so its time means nothing "
          "and is not compared.",
          result.label));
    if (result.daemon && result.daemon->mode == FuseMode::passthrough &&
        result.daemon->usage.bytes_read + result.daemon->usage.bytes_written != 0)
      lines.push_back(
          fmt::format("{}: the kernel did not pass these files through, so the daemon moved bytes.",
                      result.label));
    if (result.timed() && result.copies && !result.copies->contradiction.empty())
      lines.push_back(
          fmt::format("{}: COPIES is doubtful: {}.", result.label, result.copies->contradiction));
  }
  return lines;
}

}  // namespace zctrace
