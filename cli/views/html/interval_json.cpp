// SPDX-License-Identifier: MIT
#include "cli/views/html/interval_json.h"

#include "cli/text/printable.h"

namespace zctrace {

nlohmann::ordered_json interval_json(std::string_view started_at, std::uint64_t duration_ns,
                                     const ProcessSummary& sum) {
  return {{"started_at", valid_utf8(started_at)},
          {"duration_ns", duration_ns},
          {"totals",
           {{"delivered_bytes", sum.delivered.bytes},
            {"cpu_copied_bytes", sum.cpu_copied_bytes},
            {"syscalls", sum.syscalls},
            {"voluntary_switches", sum.voluntary_switches},
            {"involuntary_switches", sum.involuntary_switches}}}};
}

nlohmann::ordered_json intervals_json(const std::vector<IntervalTotals>& intervals) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const IntervalTotals& interval : intervals)
    array.push_back(
        interval_json(interval.started_at, interval.duration_ns, summary_of(interval.totals)));
  return array;
}

}  // namespace zctrace
