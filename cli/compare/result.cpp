// SPDX-License-Identifier: MIT
// Figures that follow from what was measured.
#include "cli/compare/result.h"

#include <algorithm>
#include <limits>

#include "collector/model/process_summary.h"

namespace zctrace {
namespace {

std::vector<double> sums(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> added(std::min(a.size(), b.size()));
  for (std::size_t i = 0; i < added.size(); ++i) added[i] = a[i] + b[i];
  return added;
}

}  // namespace

double MethodResult::bytes_per_s() const {
  const double median = statistics_of(wall_ns).median;
  return median > 0 ? static_cast<double>(bytes) * 1e9 / median : 0;
}

std::vector<double> MethodResult::cpu_ns() const { return sums(user_ns, system_ns); }

std::vector<double> MethodResult::daemon_cpu_ns() const {
  return daemon ? sums(daemon->user_ns, daemon->system_ns) : std::vector<double>();
}

std::optional<DividedCpu> divided_cpu(const std::vector<double>& user_ns,
                                      const std::vector<double>& system_ns) {
  if (median_of(sums(user_ns, system_ns)) < static_cast<double>(kLeastCpuToDivideNs))
    return std::nullopt;
  return DividedCpu{median_of(user_ns), median_of(system_ns)};
}

bool CompareResult::has_programs() const {
  return std::any_of(methods.begin(), methods.end(),
                     [](const MethodResult& result) { return result.program.has_value(); });
}

void CompareResult::keep_rounds(unsigned rounds) {
  rounds_done = rounds;
  for (MethodResult& result : methods) {
    const std::size_t kept = std::min<std::size_t>(result.wall_ns.size(), rounds);
    for (auto* runs : {&result.wall_ns, &result.user_ns, &result.system_ns}) runs->resize(kept);
    if (result.program)
      for (auto* runs : {&result.program->startup_ns, &result.program->transfer_ns})
        runs->resize(std::min<std::size_t>(runs->size(), rounds));
    if (!result.daemon) continue;
    for (auto* runs : {&result.daemon->user_ns, &result.daemon->system_ns}) runs->resize(kept);
  }
}

void CompareResult::choose_baseline(const std::string& label) {
  baseline = label;
  for (const MethodResult& result : methods)
    if (baseline.empty() && result.timed()) baseline = result.label;
}

void CompareResult::sort_by(const std::string& figure) {
  if (figure.empty()) return;
  const auto key = [&](const MethodResult& result) -> double {
    if (!result.timed()) return std::numeric_limits<double>::max();
    if (figure == "time") return median_of(result.wall_ns);
    if (figure == "cpu") return median_of(result.cpu_ns()) + median_of(result.daemon_cpu_ns());
    const Process& client = result.counts;
    const Process& daemon = result.daemon ? result.daemon->counts : Process();
    if (figure == "syscalls") return static_cast<double>(client.syscalls() + daemon.syscalls());
    return static_cast<double>(client.voluntary_switches() + client.involuntary_switches() +
                               daemon.voluntary_switches() + daemon.involuntary_switches());
  };
  std::stable_sort(methods.begin(), methods.end(),
                   [&](const MethodResult& a, const MethodResult& b) { return key(a) < key(b); });
}

const MethodResult* CompareResult::baseline_row() const {
  for (const MethodResult& result : methods)
    if (result.label == baseline) return result.timed() ? &result : nullptr;
  return nullptr;
}

std::optional<double> CompareResult::precision_reached() const {
  std::optional<double> widest;
  for (const MethodResult& result : methods) {
    if (!result.timed()) continue;
    const auto margin = relative_margin(result.wall_ns);
    if (!margin) return std::nullopt;
    widest = std::max(widest.value_or(0), *margin);
  }
  return widest;
}

std::optional<double> CompareResult::relative(const MethodResult& result) const {
  const MethodResult* base = baseline_row();
  if (base == nullptr || !result.timed()) return std::nullopt;
  return statistics_of(result.wall_ns).median / statistics_of(base->wall_ns).median;
}

}  // namespace zctrace
