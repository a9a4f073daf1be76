// SPDX-License-Identifier: MIT
// Command lines that other processes wrote: of any length, and cut.
#include "collector/observe/command_lines.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

using Words = std::vector<std::string>;

std::string zero_bytes(std::size_t count) { return std::string(count, '\0'); }

TEST(WordsOfCommand, EndWithZeroBytes) {
  EXPECT_EQ(words_of_command(std::string("ls\0-l\0", 6), false), (Words{"ls", "-l"}));
  EXPECT_EQ(words_of_command(std::string("a\0\0b\0", 5), false), (Words{"a", "", "b"}));
  EXPECT_EQ(words_of_command("a title", false), Words{"a title"});
  EXPECT_EQ(words_of_command("", false), Words{});
}

TEST(WordsOfCommand, OfATitleLeaveOutTheZeroBytesBehindIt) {
  EXPECT_EQ(words_of_command("a title" + zero_bytes(4000), false), Words{"a title"});
  EXPECT_EQ(words_of_command(zero_bytes(4000), false), Words{});
}

TEST(WordsOfCommand, SayThatSomethingWasLeftOut) {
  const Words cut = words_of_command(std::string(kCommandBytes, 'a'), false);
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_EQ(cut[0], std::string(kCommandBytes, 'a') + "…");
  EXPECT_EQ(words_of_command(std::string("ls\0-", 4), true), (Words{"ls", "-…"}));
  EXPECT_EQ(words_of_command(std::string(1'000'003, 'a'), false), cut);
  EXPECT_EQ(words_of_command(zero_bytes(kCommandBytes), false), Words{"…"});
  EXPECT_EQ(words_of_command("title" + zero_bytes(kCommandBytes), false), (Words{"title", "…"}));
}

TEST(WordsOfCommand, AreLimitedInNumber) {
  std::string text = zero_bytes(1000) + "x";
  const Words words = words_of_command(text, false);
  ASSERT_EQ(words.size(), kCommandWords + 1);
  EXPECT_EQ(words.back(), "…");
  text.clear();
  for (std::size_t n = 0; n < kCommandWords; n++) text += std::string("w\0", 2);
  EXPECT_EQ(words_of_command(text, false), Words(kCommandWords, "w"));
}

}  // namespace
}  // namespace zctrace
