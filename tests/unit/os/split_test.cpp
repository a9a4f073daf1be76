// SPDX-License-Identifier: MIT
// The parts of lists.
#include "collector/os/split.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace zctrace {
namespace {

using Parts = std::vector<std::string_view>;

TEST(Split, PartsLieBetweenSeparators) {
  EXPECT_EQ(split("a/bc/d", '/'), (Parts{"a", "bc", "d"}));
  EXPECT_EQ(split("a,b", '/'), Parts{"a,b"});
}

TEST(Split, EmptyPartsAreKept) {
  EXPECT_EQ(split("", '/'), Parts{""});
  EXPECT_EQ(split("/", '/'), (Parts{"", ""}));
  EXPECT_EQ(split("//a/", '/'), (Parts{"", "", "a", ""}));
}

TEST(Split, ListHasNoEmptyWords) {
  EXPECT_EQ(split_list("read,write"), (Parts{"read", "write"}));
  EXPECT_EQ(split_list(",read,,write,"), (Parts{"read", "write"}));
  EXPECT_EQ(split_list(""), Parts{});
  EXPECT_EQ(split_list(","), Parts{});
}

TEST(Split, PartsPointIntoTheText) {
  const std::string_view text = "a,bc";
  EXPECT_EQ(split(text, ',')[1].data(), text.data() + 2);
  EXPECT_EQ(split_list(text)[1].data(), text.data() + 2);
}

}  // namespace
}  // namespace zctrace
