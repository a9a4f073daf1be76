// SPDX-License-Identifier: MIT
// Which program belongs to what.
#include "collector/model/timing/observer_cost.h"

#include <algorithm>
#include <string_view>

namespace zctrace {
namespace {

// As bpf/ names them.
constexpr std::string_view kEntry = "zc_sys_enter";
constexpr std::string_view kExit = "zc_sys_exit";
constexpr std::string_view kSwitch = "zc_sched_switch";
// Runs in zctrace's own read(), so its time is part of zctrace's CPU time.
constexpr std::string_view kWalk = "zc_walk";

BpfRunTime since(const BpfRunTime& now, const std::vector<BpfRunTime>& before) {
  const auto earlier = std::find_if(before.begin(), before.end(),
                                    [&now](const BpfRunTime& one) { return one.name == now.name; });
  if (earlier == before.end()) return now;
  // The kernel adds up the sums of CPUs without stopping them.
  return {now.name, now.runs - std::min(now.runs, earlier->runs),
          now.ns - std::min(now.ns, earlier->ns)};
}

}  // namespace

ObserverCost observer_cost(const CostReading& now, const CostReading& before) {
  ObserverCost cost;
  cost.own_cpu_ns = now.own_cpu_ns - std::min(now.own_cpu_ns, before.own_cpu_ns);
  for (const BpfRunTime& program : now.programs) {
    const BpfRunTime spent = since(program, before.programs);
    if (program.name != kWalk) cost.programs_ns += spent.ns;
    if (program.name == kEntry || program.name == kExit) cost.call_ns += spent.ns;
    // With --timing none there is no program at entry.
    if (program.name == kExit) cost.calls = spent.runs;
    if (program.name != kSwitch) continue;
    cost.switches = spent.runs;
    cost.switch_ns = spent.ns;
  }
  return cost;
}

}  // namespace zctrace
