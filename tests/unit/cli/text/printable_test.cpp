// SPDX-License-Identifier: MIT
// Text that may act on a terminal, and its width in columns.
#include "cli/text/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace zctrace {
namespace {

TEST(ValidUtf8, ReplacesWhatIsNotWellFormed) {
  EXPECT_EQ(valid_utf8("käse 😀"), "käse 😀");
  EXPECT_EQ(valid_utf8("a\xff"), "a\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80").size(), 12u);                          // > 10FFFF
  EXPECT_EQ(valid_utf8("x\xE2\x82"), "x\xEF\xBF\xBD\xEF\xBF\xBD");                // cut off
}

TEST(Printable, ShowsWhatWouldActOnATerminal) {
  EXPECT_EQ(printable("a\x1b[31m\n\t\r", true), "a\\x1b[31m\\n\\t\\r");
  EXPECT_EQ(printable(std::string_view("a\0b", 3), true), "a\\x00b");
  EXPECT_EQ(printable("\xff", true), "\\xff");
  EXPECT_EQ(printable("\xC2\x9B", true), "\\u009b");      // CSI as one character
  EXPECT_EQ(printable("\xE2\x80\xAE", true), "\\u202e");  // right-to-left override
  EXPECT_EQ(printable("\xE2\x80\xA8", true), "\\u2028");  // line separator
  EXPECT_EQ(printable("\\n", true), "\\\\n");
  EXPECT_EQ(printable("é", true), "é");
  EXPECT_EQ(printable("é😀", false), "\\u00e9\\U0001f600");
}

TEST(Printable, LettersKeepTwoCombiningMarks) {
  EXPECT_EQ(printable("e\xCC\x81", true), "e\xCC\x81");
  EXPECT_EQ(printable("e\xCC\x81\xCC\x81\xCC\x81", true), "e\xCC\x81\xCC\x81\\u0301");
  EXPECT_EQ(printable("\xCC\x81", true), "\\u0301");
  EXPECT_EQ(printable("e\xFF\xCC\x81", true), "e\\xff\\u0301");
  EXPECT_EQ(printable("ที่", true), "ที่");
}

TEST(Printable, EscapesWhatIsInvisibleOrNotUtf8) {
  EXPECT_EQ(printable("a\xEF\xB8\x8F", true), "a\\ufe0f");        // a variation selector
  EXPECT_EQ(printable("\xEE\x80\x80", true), "\\ue000");          // private use
  EXPECT_EQ(printable("\xED\xA0\x80", true), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable("\xC0\xAF", true), "\\xc0\\xaf");           // an overlong slash
}

TEST(ShellWords, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(shell_words({}, true), "");
  EXPECT_EQ(shell_words({"cp", "-r", "/a/b.c", "x=1"}, true), "cp -r /a/b.c x=1");
  EXPECT_EQ(shell_words({"sh", "-c", "a b", ""}, true), "sh -c 'a b' ''");
  EXPECT_EQ(shell_words({"it's", "a\\.b"}, true), "'it'\\''s' 'a\\.b'");
  EXPECT_EQ(shell_words({"a\nb'c\\"}, true), "$'a\\nb\\'c\\\\'");
}

TEST(CutToWidth, CountsColumnsAndNotBytes) {
  EXPECT_EQ(cut_to_width("abc", 3, true), "abc");
  EXPECT_EQ(cut_to_width("abcd", 3, true), "ab…");
  EXPECT_EQ(cut_to_width("abcd", 3, false), "ab~");
  EXPECT_EQ(cut_to_width("日本語", 4, true), "日…");
  EXPECT_EQ(cut_to_width("abc", 0, true), "");
  EXPECT_EQ(display_width("日本é"), 5u);
  EXPECT_EQ(display_width("e\xCC\x81"), 1u);
  EXPECT_EQ(cut_to_width("e\xCC\x81xyz", 2, true), "e\xCC\x81…");
}

TEST(CutInMiddle, KeepsBothEndsAndMoreOfTheLast) {
  EXPECT_EQ(cut_in_middle("/srv/file", 9, true), "/srv/file");
  EXPECT_EQ(cut_in_middle("/srv/www/tree/file", 12, true), "/sr…ree/file");
  EXPECT_EQ(cut_in_middle("/srv/www/tree/file", 12, false), "/sr~ree/file");
  EXPECT_EQ(cut_in_middle("abcdef", 2, true), "ef");
  EXPECT_EQ(cut_in_middle("abcdef", 0, true), "");
}

TEST(CutInMiddle, CountsColumnsNotBytes) {
  const std::string cut = cut_in_middle("日本語日本語日本語", 10, true);
  EXPECT_LE(display_width(cut), 10u);
  EXPECT_EQ(cut, "日…日本語") << cut;
}

}  // namespace
}  // namespace zctrace
