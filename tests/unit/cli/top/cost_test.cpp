// SPDX-License-Identifier: MIT
// The line of `top --cost`.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/cli/top/top_screen.h"

namespace zctrace {
namespace {

CostReading reading(std::uint64_t calls) {
  return {{{"zc_sys_enter", calls, 60 * calls},
           {"zc_sys_exit", calls, 152 * calls},
           {"zc_sched_switch", calls / 100, 3 * calls}},
          1'000'000 + 40 * calls};
}

class TopCosts : public Top {
 protected:
  TopCosts() {
    controls_.show(model_.add(sample(4), seconds(1), OwnerCache(), reading(100'000)));
    controls_.show(model_.add(sample(5), seconds(2), OwnerCache(), reading(300'000)));
  }
  std::string cost_line(std::size_t height = 24) { return lines_of(frame(80, height))[3]; }
};

TEST_F(Top, SaysNothingOfItsCostUnlessAsked) { EXPECT_EQ(text().find("cost"), std::string::npos); }

TEST_F(TopCosts, ShowsWhatItTakesAndHowLongACallIsDelayed) {
  // 200,000 calls of 212 ns and 2,000 switches of 300 ns in two seconds; 8 ms of CPU.
  EXPECT_EQ(cost_line(),
            "cost: BPF programs 2.1% of a CPU  a call 212ns  a switch 300ns  zctrace 0.4%");
  type("t");
  EXPECT_EQ(cost_line(),
            "cost: BPF programs 64ms of a CPU  a call 212ns  a switch 300ns  zctrace 13ms");
}

TEST_F(TopCosts, HasNoMeanOfNothing) {
  controls_.show(model_.add(sample(6), seconds(2), OwnerCache(), reading(300'000)));
  EXPECT_EQ(cost_line(), "cost: BPF programs 0.0% of a CPU  a call -  a switch -  zctrace 0.0%");
}

TEST_F(TopCosts, IsThereForAGroupAndForARowAndNotInALowWindow) {
  type("g");
  EXPECT_NE(cost_line().find("a call 212ns"), std::string::npos) << text();
  press(KeyPress::enter);
  EXPECT_NE(cost_line().find("a call 212ns"), std::string::npos) << text();
  EXPECT_EQ(text(80, 12).find("cost"), std::string::npos);
}

}  // namespace
}  // namespace zctrace
