// SPDX-License-Identifier: MIT
// The sentences that counts and times support.
#include "cli/compare/insights.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "cli/text/units.h"

namespace zctrace {
namespace {

// At least half of a's runs beat every one of b's; anything less is taken for noise.
bool clearly_faster(const MethodResult& a, const MethodResult& b) {
  return statistics_of(a.wall_ns).median < statistics_of(b.wall_ns).min;
}

std::uint64_t switches(const MethodResult& result) {
  return result.counts.voluntary_switches() + result.counts.involuntary_switches();
}

bool counted(const MethodResult& result) { return result.timed() && result.counts.pid != 0; }

std::string plural(std::uint64_t count, const char* noun, const char* ending = "s") {
  return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : ending);
}

void say_fewest_syscalls(const CompareResult& comparison, std::vector<std::string>& lines) {
  const MethodResult* baseline = comparison.baseline_row();
  if (baseline == nullptr || !counted(*baseline)) return;
  const MethodResult* fewest = nullptr;
  for (const MethodResult& result : comparison.methods)
    if (counted(result) &&
        (fewest == nullptr || result.counts.syscalls() < fewest->counts.syscalls()))
      fewest = &result;
  if (fewest == nullptr || fewest->counts.syscalls() >= baseline->counts.syscalls()) return;
  const bool more_switches = switches(*fewest) > switches(*baseline);
  lines.push_back(
      fmt::format("{} used {} and {}, {} used {} and {}{}.", fewest->label,
                  plural(fewest->counts.syscalls(), "syscall"),
                  plural(switches(*fewest), "context switch", "es"), baseline->label,
                  format_count(baseline->counts.syscalls()), format_count(switches(*baseline)),
                  more_switches ? ": fewer crossings do not mean fewer context switches" : ""));
}

void say_fastest(const CompareResult& comparison, std::vector<std::string>& lines) {
  const MethodResult* baseline = comparison.baseline_row();
  if (baseline == nullptr) return;
  const MethodResult* fastest = nullptr;
  for (const MethodResult& result : comparison.methods)
    if (result.timed() && (fastest == nullptr || statistics_of(result.wall_ns).median <
                                                     statistics_of(fastest->wall_ns).median))
      fastest = &result;
  if (fastest == nullptr || fastest == baseline || !clearly_faster(*fastest, *baseline)) return;
  // Others whose runs overlap with the fastest one's cannot be told from it.
  std::string ties;
  for (const MethodResult& result : comparison.methods)
    if (&result != fastest && result.timed() && !clearly_faster(*fastest, result))
      ties += (ties.empty() ? "" : ", ") + result.label;
  lines.push_back(fmt::format("{} took {:.2f} of the time of {}{}.", fastest->label,
                              *comparison.relative(*fastest), baseline->label,
                              ties.empty() ? "" : "; no different within the spread: " + ties));
}

void say_cpu(const CompareResult& comparison, std::vector<std::string>& lines) {
  const MethodResult* baseline = comparison.baseline_row();
  if (baseline == nullptr || baseline->cpu_ns() <= 0) return;
  const MethodResult* least = nullptr;
  for (const MethodResult& result : comparison.methods)
    if (result.timed() && (least == nullptr || result.cpu_ns() < least->cpu_ns())) least = &result;
  if (least == nullptr || least == baseline) return;
  const double cpu = least->cpu_ns() / baseline->cpu_ns();
  const double wall = *comparison.relative(*least);
  if (cpu > 0.9) return;
  lines.push_back(fmt::format(
      "{} cost its sender {:.2f} of the CPU time of {}{}.", least->label, cpu, baseline->label,
      cpu < 0.8 * wall ? fmt::format(", but {:.2f} of the wall time: the "
                                     "rest is spent waiting for the reader",
                                     wall)
                       : fmt::format(" and {:.2f} of the wall time", wall)));
}

void say_copies(const CompareResult& comparison, std::vector<std::string>& lines) {
  std::string zero;
  const auto daemon_copied = [](const MethodResult& result) {
    return result.daemon && result.daemon->usage.copied_bytes != 0;
  };
  for (const MethodResult& result : comparison.methods)
    if (counted(result) && result.bytes != 0 && result.counts.copied_bytes() == 0 &&
        !daemon_copied(result))
      zero += (zero.empty() ? "" : ", ") + result.label;
  const MethodResult* most = nullptr;
  for (const MethodResult& result : comparison.methods)
    if (counted(result) &&
        (most == nullptr || result.counts.copied_bytes() > most->counts.copied_bytes()))
      most = &result;
  if (zero.empty() || most == nullptr || most->counts.copied_bytes() == 0) return;
  lines.push_back(
      fmt::format("No byte through user space by syscalls{}: {}; {} copied {} for {} moved.",
                  comparison.fuse ? ", of client or daemon" : "", zero, most->label,
                  format_bytes(most->counts.copied_bytes()), format_bytes(most->bytes)));
}

// From which buffer on a larger one gains a method no more than a tenth.
void say_buffers(const CompareResult& comparison, std::vector<std::string>& lines) {
  std::map<std::string, std::vector<const MethodResult*>> by_method;
  for (const MethodResult& result : comparison.methods) {
    if (!result.timed() || !result.buffer_bytes) continue;
    const std::string daemon = !result.daemon          ? ""
                               : result.daemon->splice ? "/splice-on"
                                                       : "/splice-off";
    by_method[result.method + daemon].push_back(&result);
  }
  for (auto& [method, sizes] : by_method) {
    if (sizes.size() < 3) continue;
    std::sort(sizes.begin(), sizes.end(), [](const MethodResult* a, const MethodResult* b) {
      return *a->buffer_bytes < *b->buffer_bytes;
    });
    double best = statistics_of(sizes.front()->wall_ns).median;
    for (const MethodResult* size : sizes)
      best = std::min(best, statistics_of(size->wall_ns).median);
    const auto enough = std::find_if(sizes.begin(), sizes.end(), [&](const MethodResult* size) {
      return statistics_of(size->wall_ns).median <= 1.1 * best;
    });
    if (enough == sizes.begin() || *enough == sizes.back()) continue;
    lines.push_back(fmt::format("{}: no larger buffer gained more than a tenth over {}.", method,
                                (*enough)->buffer));
  }
}

void say_notifications(const CompareResult& comparison, std::vector<std::string>& lines) {
  for (const MethodResult& result : comparison.methods)
    if (result.timed() && result.copied_notifications != 0)
      lines.push_back(fmt::format(
          "{}: {} of {} notifications say that the kernel copied after all.", result.label,
          format_count(result.copied_notifications), format_count(result.notifications)));
}

// The row with the same method and buffer and a daemon that copies; nullptr: none was timed.
const MethodResult* copying_twin(const CompareResult& comparison, const MethodResult& result) {
  for (const MethodResult& other : comparison.methods)
    if (other.timed() && !other.daemon->splice && other.method == result.method &&
        other.buffer == result.buffer)
      return &other;
  return nullptr;
}

void say_daemon(const CompareResult& comparison, std::vector<std::string>& lines) {
  if (!comparison.fuse) return;
  std::vector<double> shares;
  std::vector<double> time;
  std::vector<double> cpu;
  std::vector<double> syscalls;
  for (const MethodResult& result : comparison.methods) {
    const double all_ns = result.cpu_ns() + result.daemon_cpu_ns();
    if (!result.timed() || all_ns <= 0) continue;
    shares.push_back(result.daemon_cpu_ns() / all_ns);
    const MethodResult* twin = result.daemon->splice ? copying_twin(comparison, result) : nullptr;
    if (twin == nullptr || !counted(result) || twin->daemon->counts.syscalls() == 0 ||
        twin->cpu_ns() + twin->daemon_cpu_ns() <= 0)
      continue;
    time.push_back(statistics_of(result.wall_ns).median / statistics_of(twin->wall_ns).median);
    cpu.push_back(all_ns / (twin->cpu_ns() + twin->daemon_cpu_ns()));
    syscalls.push_back(static_cast<double>(result.daemon->counts.syscalls()) /
                       static_cast<double>(twin->daemon->counts.syscalls()));
  }
  if (!shares.empty())
    lines.push_back(
        fmt::format("The daemon took {:.0f} % of the CPU time of client and daemon together "
                    "(median of the rows).",
                    100 * statistics_of(shares).median));
  if (!time.empty())
    lines.push_back(fmt::format(
        "Where the daemon splices, a transfer took {:.2f} of the time and {:.2f} of all CPU time "
        "that it "
        "took where the daemon copies, with {:.2f} times the daemon's syscalls (medians of {}).",
        statistics_of(time).median, statistics_of(cpu).median, statistics_of(syscalls).median,
        plural(time.size(), "pair")));
}

void say_observing(const CompareResult& comparison, std::vector<std::string>& lines) {
  const MethodResult* worst = nullptr;
  double highest = 0;
  std::vector<double> added;
  for (const MethodResult& result : comparison.methods) {
    if (!counted(result)) continue;
    const double cost = result.observed_wall_ns / statistics_of(result.wall_ns).median - 1;
    added.push_back(cost);
    if (worst == nullptr || cost > highest) {
      worst = &result;
      highest = cost;
    }
  }
  if (worst == nullptr) return;
  lines.push_back(
      fmt::format("Observing changed the time by {:+.0f} % (median of the rows), at most {:+.0f} % "
                  "({}); the times "
                  "above are without.",
                  100 * statistics_of(added).median, 100 * highest, worst->label));
}

}  // namespace

std::vector<std::string> insights(const CompareResult& comparison) {
  std::vector<std::string> lines;
  say_fewest_syscalls(comparison, lines);
  say_fastest(comparison, lines);
  say_cpu(comparison, lines);
  say_copies(comparison, lines);
  say_buffers(comparison, lines);
  say_notifications(comparison, lines);
  say_daemon(comparison, lines);
  say_observing(comparison, lines);
  return lines;
}

std::vector<std::string> warnings(const CompareResult& comparison) {
  std::vector<std::string> lines;
  for (const MethodResult& result : comparison.methods) {
    if (!result.timed()) continue;
    const double median = statistics_of(result.wall_ns).median;
    const auto far = std::count_if(result.wall_ns.begin(), result.wall_ns.end(),
                                   [&](double wall) { return wall > 1.5 * median; });
    if (far != 0)
      lines.push_back(
          fmt::format("{}: {} of {} runs took more than 1.5 times the median; something "
                      "else kept the machine busy.",
                      result.label, far, result.wall_ns.size()));
    if (comparison.sink_kind == "null" && result.method == "mmap_write")
      lines.push_back(
          fmt::format("{}: a write of a mapping to /dev/null touches no page; its time "
                      "says nothing.",
                      result.label));
    if (result.verified == false)
      lines.push_back(fmt::format("{}: what arrived is not what was sent.", result.label));
  }
  return lines;
}

}  // namespace zctrace
