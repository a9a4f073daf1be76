// SPDX-License-Identifier: MIT
// Metrics as Prometheus' metric families; docs/export.md lists them.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cli/views/prometheus/metrics.h"
#include "collector/model/timing/observer_cost.h"

namespace zctrace {

// Those of SelfCost::programs, at most.
inline constexpr std::size_t kProgramSeries = 2 * kMostPrograms;
// Those that say how much of the time was observed, with --duty.
inline constexpr std::size_t kDutySeries = 3;

// What zctrace itself costs.
struct SelfCost {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::vector<BpfRunTime> programs = {};  // whose run times were asked for
};

std::vector<prometheus::MetricFamily> prometheus_view(const Metrics& metrics, const SelfCost& self);

}  // namespace zctrace
