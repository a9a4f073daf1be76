// SPDX-License-Identifier: MIT
// The line that shows how far a comparison has come.
#include <gtest/gtest.h>

#include <chrono>

#include "cli/compare/progress.h"

namespace zctrace {
namespace {

using std::chrono::seconds;

TEST(ProgressLine, EstimatesTheTimeThatIsLeft) {
  EXPECT_EQ(progress_line(3, 12, "round 1/5 splice/64K", seconds(4), 200),
            "[######..................] 3/12 round 1/5 splice/64K, about 12 s left");
  EXPECT_EQ(progress_line(1, 101, "a", seconds(6), 200),
            "[........................] 1/101 a, about 10 min left");
}

TEST(ProgressLine, EstimatesNothingBeforeAnythingIsDone) {
  EXPECT_EQ(progress_line(0, 4, "verifying tee/4K", seconds(0), 200),
            "[........................] 0/4 verifying tee/4K");
}

TEST(ProgressLine, FitsTheTerminal) {
  EXPECT_EQ(progress_line(1, 2, "round", seconds(1), 20).size(), 20U);
}

}  // namespace
}  // namespace zctrace
