// SPDX-License-Identifier: MIT
// `top --duty`: what its figures are made of is on the screen.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/cli/top/top_screen.h"

namespace zctrace {
namespace {

TEST_F(Top, SaysThatFiguresAreEstimates) {
  EXPECT_EQ(text().find("ESTIMATES"), std::string::npos);
  Report report = sample(5);
  report.duty = {0.1, 1'000'000'000, 10, {}};
  controls_.show(model_.add(std::move(report), seconds(2)));
  EXPECT_NE(text().find("ESTIMATES from 10.0%"), std::string::npos) << text();
  EXPECT_NE(line_of("11").find("200"), std::string::npos) << "the rate of two seconds";
  EXPECT_EQ(text().find("f files"), std::string::npos) << "which are not counted: " << text();
  type("f");
  EXPECT_NE(text().find("not counted, because of --duty"), std::string::npos) << text();
  press(KeyPress::escape);
  type("g");
  EXPECT_NE(text().find("ESTIMATES"), std::string::npos) << text();
  press(KeyPress::enter);
  EXPECT_NE(text().find("ESTIMATES"), std::string::npos) << text();
}

}  // namespace
}  // namespace zctrace
