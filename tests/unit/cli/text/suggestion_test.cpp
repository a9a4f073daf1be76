// SPDX-License-Identifier: MIT
// Typos are one edit in three characters; other words get no suggestion.
#include "cli/text/suggestion.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

const std::vector<std::string> kNames = {"run", "attach", "top", "sendfile", "splice"};

TEST(Suggestion, FindsTheNearestName) {
  EXPECT_EQ(suggestion("rnu", kNames), "; did you mean 'run'?");
  EXPECT_EQ(suggestion("runn", kNames), "; did you mean 'run'?");
  EXPECT_EQ(suggestion("sendfiel", kNames), "; did you mean 'sendfile'?");
  EXPECT_EQ(suggestion("splcie", kNames), "; did you mean 'splice'?");
  EXPECT_EQ(suggestion("RUN", kNames), "; did you mean 'run'?");
  EXPECT_EQ(suggestion("Sendfiel", kNames), "; did you mean 'sendfile'?");
}

TEST(Suggestion, IsEmptyForAnotherWord) {
  EXPECT_EQ(suggestion("compare", kNames), "");
  EXPECT_EQ(suggestion("", kNames), "");
  EXPECT_EQ(suggestion("a", kNames), "");
  EXPECT_EQ(suggestion(std::string(100'000, 'x'), kNames), "");
  EXPECT_EQ(suggestion("run", {}), "");
}

}  // namespace
}  // namespace zctrace
