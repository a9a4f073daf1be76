// SPDX-License-Identifier: MIT
// Metrics as Prometheus' metric families; docs/export.md lists them.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cli/views/prometheus/metrics.h"

namespace zctrace {

// What zctrace itself costs.
struct SelfCost {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
};

std::vector<prometheus::MetricFamily> prometheus_view(const Metrics& metrics, const SelfCost& self);

}  // namespace zctrace
