// SPDX-License-Identifier: MIT
// Messages and help on terminals of any width.
#include "cli/text/wrap.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

TEST(Wrapped, BreaksBetweenWords) {
  EXPECT_EQ(wrapped("one two three", 9, 2), "one two\n  three");
  EXPECT_EQ(wrapped("one two three", 80, 2), "one two three");
  EXPECT_EQ(wrapped("", 80, 2), "");
}

TEST(Wrapped, LeavesAWordWholeThatIsWiderThanALine) {
  EXPECT_EQ(wrapped("/a/very/long/path is mounted", 10, 2), "/a/very/long/path\n  is\n  mounted");
}

TEST(Wrapped, KeepsTheLineBreaksThatAreThere) {
  EXPECT_EQ(wrapped("one\n    two", 80, 4), "one\n    two");
}

}  // namespace
}  // namespace zctrace
