// SPDX-License-Identifier: MIT
// Command lines that other processes wrote: of any length, and cut.
#include "collector/observe/command_lines.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

using Words = std::vector<std::string>;

std::string zero_bytes(std::size_t count) { return std::string(count, '\0'); }

TEST(WordsOfCommand, EndWithZeroBytes) {
  EXPECT_EQ(words_of_proc(std::string("ls\0-l\0", 6)), (Words{"ls", "-l"}));
  EXPECT_EQ(words_of_proc(std::string("a\0\0b\0", 5)), (Words{"a", "", "b"}));
  EXPECT_EQ(words_of_proc("a title"), Words{"a title"});
  EXPECT_EQ(words_of_proc(""), Words{});
}

TEST(WordsOfCommand, AreKeptIfTheyAreEmpty) {
  EXPECT_EQ(words_of_command(std::string("true\0\0a\0\0", 9), false), (Words{"true", "", "a", ""}));
  EXPECT_EQ(words_of_command(std::string("ls\0\0", 4), true), (Words{"ls", "", "…"}));
}

TEST(WordsOfCommand, OfATitleLeaveOutTheZeroBytesBehindIt) {
  EXPECT_EQ(words_of_proc("a title" + zero_bytes(4000)), Words{"a title"});
  EXPECT_EQ(words_of_proc(zero_bytes(4000)), Words{});
}

TEST(WordsOfCommand, SayThatSomethingWasLeftOut) {
  const Words cut = words_of_proc(std::string(kCommandBytes, 'a'));
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_EQ(cut[0], std::string(kCommandBytes, 'a') + "…");
  EXPECT_EQ(words_of_command(std::string("ls\0-", 4), true), (Words{"ls", "-…"}));
  EXPECT_EQ(words_of_proc(std::string(1'000'003, 'a')), cut);
  EXPECT_EQ(words_of_proc(zero_bytes(kCommandBytes)), Words{"…"});
  EXPECT_EQ(words_of_proc("title" + zero_bytes(kCommandBytes)), (Words{"title", "…"}));
}

TEST(WordsOfCommand, AreLimitedInNumber) {
  std::string text = zero_bytes(1000) + "x";
  const Words words = words_of_proc(text);
  ASSERT_EQ(words.size(), kCommandWords + 1);
  EXPECT_EQ(words.back(), "…");
  text.clear();
  for (std::size_t n = 0; n < kCommandWords; n++) text += std::string("w\0", 2);
  EXPECT_EQ(words_of_proc(text), Words(kCommandWords, "w"));
}

}  // namespace
}  // namespace zctrace
