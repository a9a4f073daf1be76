// SPDX-License-Identifier: MIT
// The command lines of programs: words and placeholders.
#include "transfers/external/program.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace zctrace::transfers {
namespace {

using Words = std::vector<std::string>;

TEST(ProgramWords, AreSplitAtBlanks) {
  EXPECT_EQ(split_words("cp  a\tb\n"), (Words{"cp", "a", "b"}));
}

TEST(ProgramWords, KeepWhatIsQuoted) {
  EXPECT_EQ(split_words(R"(sh -c 'a "b" \c' "d 'e' \" \\ \f" g\ h i"j k"l)"),
            (Words{"sh", "-c", R"(a "b" \c)", R"(d 'e' " \ \f)", "g h", "ij kl"}));
  EXPECT_EQ(split_words("a ''"), (Words{"a", ""}));
}

TEST(ProgramWords, HaveNoShell) {
  EXPECT_EQ(split_words("echo $HOME `id` $(id) *.c ~ a;b|c>d #e"),
            (Words{"echo", "$HOME", "`id`", "$(id)", "*.c", "~", "a;b|c>d", "#e"}));
}

TEST(ProgramWords, AreRefusedWhereTheyDoNotEnd) {
  for (const char* text : {"", "  ", "''", "a 'b", "a \"b", "a \"b\\\"", "a\\"})
    EXPECT_THROW(split_words(text), std::invalid_argument) << text;
}

TEST(Placeholders, AreFoundOnceInTheirOrder) {
  EXPECT_EQ(placeholders_in({"{sink}:{source}", "{sink}", "{x}{y}"}),
            (Words{"sink", "source", "x", "y"}));
}

TEST(Placeholders, AreNotOtherBraces) {
  EXPECT_EQ(placeholders_in({"{}", "{ a }", "${a-b}", "{A}", "{1}", "{a", "a}", "{{a}}", "{{"}),
            Words{});
}

TEST(Placeholders, AreReplaced) {
  const PlaceholderValues values{{"a", "1"}, {"b", "{a}"}};
  EXPECT_EQ(with_values({"{a}{b}", "x{a}y", "{{a}}", "{c}", "{ {a} }", "{{{a}}}", "{}"}, values),
            (Words{"1{a}", "x1y", "{a}", "{c}", "{ 1 }", "{{a}}", "{}"}));
}

TEST(Program, UsesAPlaceholder) {
  Program program{"p", {"p", "{source}", "{{sink}}"}};
  EXPECT_TRUE(program.uses("source"));
  EXPECT_FALSE(program.uses("sink"));
  program.has_placeholders = false;
  EXPECT_FALSE(program.uses("source"));
}

}  // namespace
}  // namespace zctrace::transfers
