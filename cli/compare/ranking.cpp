// SPDX-License-Identifier: MIT
// Compares rows by all of their runs, not by their medians alone.
#include "cli/compare/ranking.h"

#include <algorithm>

namespace zctrace {
namespace {

using Figure = std::vector<double> (*)(const MethodResult&);

std::vector<double> wall_times(const MethodResult& result) { return result.wall_ns; }

Leaders leaders(const CompareResult& compared, Figure figure) {
  std::vector<const MethodResult*> ranked;
  for (const MethodResult& result : compared.methods)
    if (time_means_something(compared, result) && figure(result).size() >= kLeastToRank)
      ranked.push_back(&result);
  std::stable_sort(ranked.begin(), ranked.end(), [&](const auto* a, const auto* b) {
    return median_of(figure(*a)) < median_of(figure(*b));
  });
  Leaders found;
  for (const MethodResult* result : ranked) {
    if (!clearly_less(figure(*ranked.front()), figure(*result)))
      found.rows.push_back(result);
    else if (found.next == nullptr)
      found.next = result;
  }
  return found;
}

}  // namespace

std::vector<double> cpu_times(const MethodResult& result) {
  std::vector<double> sums = result.cpu_ns();
  const std::vector<double> daemon = result.daemon_cpu_ns();
  for (std::size_t i = 0; i < sums.size() && i < daemon.size(); ++i) sums[i] += daemon[i];
  return sums;
}

bool Leaders::include(const MethodResult& result) const {
  return std::find(rows.begin(), rows.end(), &result) != rows.end();
}

bool time_means_something(const CompareResult& compared, const MethodResult& result) {
  // write(2) of a mapping to /dev/null returns without touching a page.
  const bool idle = compared.sink_kind == "null" && result.method == "mmap_write";
  return result.timed() && !result.error && result.verified != false && !idle;
}

Leaders fastest_rows(const CompareResult& compared) { return leaders(compared, wall_times); }
Leaders cheapest_rows(const CompareResult& compared) { return leaders(compared, cpu_times); }

// Each row was observed once only, so that a busy machine may have slowed that run alone.
std::optional<ObservingCost> cost_of_observing(const CompareResult& compared) {
  std::vector<double> added;
  std::vector<double> spans;  // of the timed runs
  for (const MethodResult& result : compared.methods) {
    if (!result.counted() || result.wall_ns.size() < kLeastToRank) continue;
    const Statistics wall = statistics_of(result.wall_ns);
    added.push_back(result.observed_wall_ns / wall.median - 1);
    spans.push_back((wall.max - wall.min) / wall.median);
  }
  const auto interval = median_interval(added);
  if (!interval || interval->low <= median_of(spans)) return std::nullopt;
  return ObservingCost{median_of(added), *interval, added.size()};
}

}  // namespace zctrace
