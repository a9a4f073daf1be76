// SPDX-License-Identifier: MIT
// The flow of bytes in a few lines.
#include "cli/views/report/flow_lines.h"

#include <gtest/gtest.h>

#include <string>

#include "cli/text/printable.h"
#include "tests/unit/builders.h"

namespace zctrace {
namespace {

constexpr Wording kUnicode{true, false, true};
constexpr Wording kAscii{false, false, true};
constexpr std::uint64_t kMiB = 1 << 20;

std::string text_of(const std::vector<std::vector<Cell>>& lines) {
  std::string text;
  for (const std::vector<Cell>& line : lines) {
    for (const Cell& cell : line) text += cell.text;
    text += '\n';
  }
  return text;
}

Row copied(Kind from, Kind to, std::uint64_t bytes) {
  return row(to == Kind::user ? "read" : "write", from, to, Copy::copied, 1, bytes);
}

TEST(FlowLines, ShowThatBytesPassThroughUserSpace) {
  const Process process = process_of(
      {copied(Kind::file, Kind::user, 10 * kMiB), copied(Kind::user, Kind::socket, 10 * kMiB)});
  EXPECT_EQ(text_of(flow_lines(process, kUnicode, 80)),
            "file ══ 10.0 MiB ═▶ user ══ 10.0 MiB ═▶ socket\n");
  EXPECT_EQ(text_of(flow_lines(process, kAscii, 0)),
            "file == 10.0 MiB => user == 10.0 MiB => socket\n");
}

TEST(FlowLines, ShowThatBytesStayInTheKernelAndByWhichCall) {
  const Process process = process_of(
      {copied(Kind::file, Kind::user, 10 * kMiB), copied(Kind::user, Kind::file, 2 * kMiB),
       row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 3, 30 * kMiB)});
  EXPECT_EQ(text_of(flow_lines(process, kAscii, 80)),
            "file == 10.0 MiB => user == 2.0 MiB => file\n"
            "file == 30.0 MiB ====================> socket  sendfile\n");
  // The name of the call is left out first.
  EXPECT_EQ(text_of(flow_lines(process, kAscii, 52)),
            "file == 10.0 MiB => user == 2.0 MiB => file\n"
            "file == 30.0 MiB ====================> socket\n");
  EXPECT_TRUE(flow_lines(process, kAscii, 40).empty());
}

TEST(FlowLines, TellByToneHowOftenBytesWereCopied) {
  Process process =
      process_of({copied(Kind::file, Kind::user, kMiB), copied(Kind::user, Kind::file, kMiB),
                  row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, kMiB)});
  process.rows[1].cpu_copied_bytes = 2 * kMiB;
  process.rows[2].cpu_copied_bytes = 0;
  const auto lines = flow_lines(process, kAscii, 80);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0][1].tone, Tone::plain);
  EXPECT_EQ(lines[0][3].tone, Tone::warning);
  EXPECT_EQ(lines[1][1].tone, Tone::good);
}

TEST(FlowLines, SumTheSmallestAndHaveAtMostFiveLines) {
  std::vector<Row> rows;
  std::uint64_t bytes = 0;
  for (const Kind from : {Kind::file, Kind::socket, Kind::pipe, Kind::device}) {
    rows.push_back(copied(from, Kind::user, ++bytes));
    rows.push_back(copied(Kind::user, from, ++bytes));
    for (const Kind to : {Kind::file, Kind::socket})
      rows.push_back(row("splice", from, to, Copy::in_kernel, 1, ++bytes));
  }
  const auto lines = flow_lines(process_of(rows), kAscii, 80);
  EXPECT_EQ(lines.size(), 5u);
  EXPECT_EQ(text_of(lines),
            "device == 13 B => user == 14 B => device\n"
            "  pipe == 9 B ==>      == 10 B => pipe\n"
            "others == 6 B ==>      == 8 B ==> others\n"
            "device == 16 B =================> socket  splice\n"
            "others == 60 B =================> others\n");
}

TEST(FlowLines, HaveNoSpaceAtTheirEnd) {
  EXPECT_EQ(text_of(flow_lines(process_of({copied(Kind::file, Kind::user, 5)}), kAscii, 0)),
            "file == 5 B => user\n");
  EXPECT_EQ(text_of(flow_lines(process_of({copied(Kind::user, Kind::file, 5)}), kAscii, 0)),
            " user == 5 B => file\n");
}

TEST(FlowLines, NothingWithoutBytes) {
  EXPECT_TRUE(flow_lines(process_of({row("read", Kind::file, Kind::user, Copy::copied, 3, 0)}),
                         kUnicode, 80)
                  .empty());
}

TEST(FlowLines, LinesAreAsWideAsTheyMayBe) {
  const Process process = process_of({copied(Kind::socket, Kind::user, 1023 * kMiB),
                                      copied(Kind::user, Kind::socket, 1023 * kMiB)});
  for (std::size_t width = 1; width < 100; ++width)
    for (const std::vector<Cell>& line : flow_lines(process, kUnicode, width)) {
      std::string text;
      for (const Cell& cell : line) text += cell.text;
      EXPECT_LE(display_width(text), width);
    }
}

}  // namespace
}  // namespace zctrace
