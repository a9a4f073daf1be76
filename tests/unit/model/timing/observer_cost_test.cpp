// SPDX-License-Identifier: MIT
// From readings of the programs' run times to what observing costs.
#include "collector/model/timing/observer_cost.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

CostReading reading(std::uint64_t runs) {
  return {{{"zc_sys_enter", runs, 60 * runs},
           {"zc_sys_exit", runs, 140 * runs},
           {"zc_sched_switch", runs / 10, 9 * runs},
           {"zc_exec", 1, 7000},
           {"zc_walk", 100, 500'000}},
          1000 * runs};
}

TEST(ObserverCost, IsWhatIsBetweenTwoReadings) {
  const ObserverCost cost = observer_cost(reading(300), reading(100));
  EXPECT_EQ(cost.calls, 200u);
  EXPECT_EQ(cost.call_ns, 200u * (60 + 140));
  EXPECT_EQ(cost.switches, 20u);
  EXPECT_EQ(cost.switch_ns, 200u * 9);
  EXPECT_EQ(cost.programs_ns, cost.call_ns + cost.switch_ns) << "the exec was before";
  EXPECT_EQ(cost.own_cpu_ns, 200'000u);
}

TEST(ObserverCost, CountsTheTaskWalkOnce) {
  const ObserverCost cost = observer_cost(reading(100), {});
  EXPECT_EQ(cost.programs_ns, 100u * (60 + 140 + 9) + 7000) << "the walk is zctrace's own CPU time";
}

TEST(ObserverCost, HasCallsWithoutAProgramAtEntry) {
  const ObserverCost cost = observer_cost({{{"zc_sys_exit", 50, 5000}}, 0}, {});
  EXPECT_EQ(cost.calls, 50u);
  EXPECT_EQ(cost.call_ns, 5000u);
  EXPECT_EQ(cost.switches, 0u);
}

// The kernel adds up the CPUs one after the other.
TEST(ObserverCost, NeverFallsBelowZero) {
  const ObserverCost cost =
      observer_cost({{{"zc_sys_exit", 49, 4900}}, 10}, {{{"zc_sys_exit", 50, 5000}}, 20});
  EXPECT_EQ(cost.calls, 0u);
  EXPECT_EQ(cost.call_ns, 0u);
  EXPECT_EQ(cost.own_cpu_ns, 0u);
}

}  // namespace
}  // namespace zctrace
