// SPDX-License-Identifier: MIT
#include "cli/views/html/interval_json.h"

#include "cli/text/printable.h"
#include "collector/model/process_summary.h"

namespace zctrace {

nlohmann::ordered_json intervals_json(const std::vector<IntervalTotals>& intervals) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const IntervalTotals& interval : intervals) {
    const ProcessSummary sum = summary_of(interval.totals);
    array.push_back({{"started_at", valid_utf8(interval.started_at)},
                     {"duration_ns", interval.duration_ns},
                     {"totals",
                      {{"delivered_bytes", sum.delivered.bytes},
                       {"cpu_copied_bytes", sum.cpu_copied_bytes},
                       {"syscalls", sum.syscalls},
                       {"voluntary_switches", sum.voluntary_switches},
                       {"involuntary_switches", sum.involuntary_switches}}}});
  }
  return array;
}

}  // namespace zctrace
