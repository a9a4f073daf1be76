// SPDX-License-Identifier: MIT
// The keys of `top` and what it draws after them, without a terminal.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/cli/top/top_screen.h"

namespace zctrace {
namespace {

using Pids = std::vector<std::int64_t>;

TEST_F(Top, ShowsRatesPerSecond) {
  // 400 writes of 1 KiB in two seconds.
  EXPECT_EQ(line_of("11"),
            "   11 copier       200   200K      0  200K    1 .....   0%     100/0   0.0     4");
  EXPECT_EQ(line_of("12"),
            "   12 sender       100      0   100K  100K    0 ##### 100%      50/0   0.0     0");
  EXPECT_EQ(line_of("13"),
            "   13 idler          0      0      0     0    -          -       0/0   0.0     0");
  EXPECT_NE(text().find("syscalls 300/s  copied 200 KiB/s  in kernel 100 KiB/s"), std::string::npos)
      << text();
}

TEST_F(Top, TTurnsToTotalsAndBack) {
  type("t");
  EXPECT_NE(line_of("11").find("600   600K"), std::string::npos) << text();
  EXPECT_NE(line_of("13").find("  3   3.0K"), std::string::npos) << text();
  EXPECT_NE(text().find("totals"), std::string::npos);
  type("t");
  EXPECT_NE(line_of("11").find("200   200K"), std::string::npos);
}

TEST_F(Top, LettersSortAndTheSameAgainReverses) {
  EXPECT_EQ(pids(), (Pids{11, 12, 13}));
  type("k");
  EXPECT_EQ(pids(), (Pids{12, 11, 13}));
  type("k");
  EXPECT_EQ(pids(), (Pids{11, 13, 12}));
  type("n");
  EXPECT_EQ(pids(), (Pids{11, 13, 12}));
  type("r");
  EXPECT_EQ(pids(), (Pids{12, 13, 11}));
  type(">");  // syscalls, the next column
  EXPECT_EQ(controls_.process_sort(), ProcessSort::syscalls);
  type("<");
  EXPECT_EQ(controls_.process_sort(), ProcessSort::name);
  type("i<");  // from the first to the last
  EXPECT_EQ(controls_.process_sort(), ProcessSort::errors);
}

TEST_F(Top, FilterIsAppliedWhileItIsTyped) {
  type("/cop");
  EXPECT_TRUE(controls_.editing_filter());
  EXPECT_EQ(pids(), (Pids{11}));
  EXPECT_TRUE(frame().cursor.has_value());
  press(KeyPress::backspace);
  press(KeyPress::backspace);
  press(KeyPress::backspace);
  type("qt");  // letters, not keys
  EXPECT_EQ(pids(), (Pids{}));
  EXPECT_NE(text().find("no process matches the filter"), std::string::npos);
  press(KeyPress::escape);
  EXPECT_EQ(pids().size(), 3u);
  type("/SEND");
  press(KeyPress::enter);
  EXPECT_FALSE(controls_.editing_filter());
  EXPECT_EQ(pids(), (Pids{12}));
  EXPECT_NE(text().find("1 of 3 processes"), std::string::npos);
  EXPECT_NE(text().find("filter: SEND"), std::string::npos);
  press(KeyPress::escape);
  EXPECT_EQ(pids().size(), 3u);
}

TEST_F(Top, TotalsAreOfWhatMatchesTheFilter) {
  type("/send");
  press(KeyPress::enter);
  EXPECT_NE(text().find("syscalls 100/s  copied 0 B/s  in kernel 100 KiB/s"), std::string::npos)
      << text();
  type("t");
  EXPECT_NE(text().find("syscalls 300  copied 0 B  in kernel 300 KiB"), std::string::npos)
      << text();
  press(KeyPress::escape);
  EXPECT_NE(text().find("syscalls 903  "), std::string::npos) << text();
}

TEST_F(Top, TheSortedColumnsAreMarked) {
  const auto header = [this](bool unicode) { return lines_of(frame(160, 24, unicode))[3]; };
  // Bytes moved are those copied and those moved in the kernel.
  EXPECT_NE(header(false).find(" *COPIED/s*IN KERNEL/s "), std::string::npos) << header(false);
  EXPECT_NE(header(true).find("▼COPIED/s"), std::string::npos) << header(true);
  type("c");
  EXPECT_EQ(header(true).find("▼IN KERNEL"), std::string::npos);
  type("c");
  EXPECT_NE(header(true).find("▲COPIED/s"), std::string::npos) << header(true);
  type("n");
  EXPECT_NE(header(true).find("NAME▲"), std::string::npos) << header(true);
  type("r");
  EXPECT_NE(header(true).find("NAME▼"), std::string::npos) << header(true);
  // A title as wide as its column keeps every letter.
  type("b");
  EXPECT_NE(text(40, 10).find("*COPIED*KERNEL"), std::string::npos) << text(40, 10);
  press(KeyPress::enter);
  EXPECT_NE(header(false).find("*BYTES/s"), std::string::npos) << header(false);
}

TEST_F(Top, GroupsAreLinesWithTheNumberOfTheirProcesses) {
  Report report = sample(3);
  report.processes.push_back(named(14, "sender", 7, Copy::in_kernel));
  controls_.show(model_.add(report, seconds(1)));
  type("gt");
  const std::string groups = text();
  EXPECT_NE(groups.find("3 names"), std::string::npos) << groups;
  EXPECT_NE(groups.find("PROCS NAME"), std::string::npos) << groups;
  EXPECT_NE(groups.find("    2 sender "), std::string::npos) << groups;
  EXPECT_NE(groups.find("   307 "), std::string::npos) << groups;
  type("/sender");
  press(KeyPress::enter);
  press(KeyPress::enter);
  EXPECT_NE(text().find("sender: 2 processes"), std::string::npos) << text();
  EXPECT_NE(text().find("sendfile"), std::string::npos) << text();
  press(KeyPress::escape);
  press(KeyPress::escape);
  type("g");  // none of them is in a unit
  EXPECT_NE(text().find("1 unit"), std::string::npos) << text();
  EXPECT_NE(text().find("    4 (no unit)"), std::string::npos) << text();
  type("g");
  EXPECT_NE(text().find("    4 (no container)"), std::string::npos) << text();
  type("g");
  EXPECT_EQ(pids(), (Pids{11, 12, 14, 13}));
}

TEST_F(Top, EnterOpensTheRowsAndEscapeGoesBack) {
  press(KeyPress::down);
  press(KeyPress::enter);
  ASSERT_NE(controls_.opened(), nullptr);
  EXPECT_EQ(controls_.opened()->key.pid, 12);
  const std::string rows = text();
  EXPECT_NE(rows.find("sender 12"), std::string::npos);
  EXPECT_NE(rows.find("sendfile         file>sock"), std::string::npos) << rows;
  EXPECT_NE(rows.find("P99"), std::string::npos);
  press(KeyPress::escape);
  EXPECT_EQ(controls_.opened(), nullptr);
  press(KeyPress::enter);
  press(KeyPress::backspace);
  EXPECT_EQ(controls_.opened(), nullptr);
}

TEST_F(Top, OpenedProcessStaysAsLastSeenWhenItIsGone) {
  press(KeyPress::enter);
  for (int i = 0; i < 3; i++) {
    Report report = sample(4);
    report.processes.erase(report.processes.begin());
    controls_.show(model_.add(report, seconds(1)));
  }
  ASSERT_NE(controls_.opened(), nullptr);
  EXPECT_NE(text().find("copier 11"), std::string::npos);
  EXPECT_NE(text().find("write"), std::string::npos);
}

TEST_F(Top, SelectionFollowsItsProcess) {
  press(KeyPress::down);  // the sender
  EXPECT_EQ(controls_.selected(), 1u);
  type("k");
  EXPECT_EQ(controls_.selected(), 0u);
  press(KeyPress::home);  // now the line
  type("c");
  EXPECT_EQ(controls_.selected(), 0u);
  EXPECT_EQ(controls_.processes()[0]->key.pid, 11);
  press(KeyPress::end);
  EXPECT_EQ(controls_.selected(), 2u);
  controls_.show(model_.add(Report{}, seconds(1)));
  EXPECT_EQ(controls_.selected(), 0u);
  press(KeyPress::enter);  // no process there
  EXPECT_EQ(controls_.opened(), nullptr);
}

TEST_F(Top, PauseKeepsTheSample) {
  type(" ");
  const std::string before = text();
  EXPECT_NE(before.find("PAUSED"), std::string::npos);
  controls_.show(model_.add(sample(50), seconds(1)));
  EXPECT_EQ(text(), before);
  type(" ");
  EXPECT_NE(text(), before);
}

TEST_F(Top, EndedProcessesAreDim) {
  Report report = sample(4);
  report.processes[1].end_ns = 7;
  controls_.show(model_.add(report, seconds(1)));
  const Frame shown = frame();
  const auto line = std::find_if(shown.lines.begin(), shown.lines.end(), [](const auto& spans) {
    return !spans.empty() && spans[0].text == "   12";
  });
  ASSERT_NE(line, shown.lines.end());
  for (const Span& span : *line) EXPECT_EQ(span.style, Style::dim);
  EXPECT_NE(line_of("12").find("(ended)"), std::string::npos) << text();
  EXPECT_NE(line_of("12").find(" 0.0 "), std::string::npos) << "it keeps its CPU time";
  controls_.show(model_.add(report, seconds(1)));
  EXPECT_EQ(line_of("12"), "");
}

TEST_F(Top, HelpNamesEverySortKey) {
  type("?");
  const std::string help = text();
  for (const auto& key : kProcessSorts)
    EXPECT_NE(help.find(std::string{key.letter} + " " + std::string(key.title)), std::string::npos)
        << key.title;
  for (const auto& key : kRowSorts)
    EXPECT_NE(help.find(std::string{key.letter} + " " + std::string(key.title)), std::string::npos)
        << key.title;
  press(KeyPress::enter);
  EXPECT_FALSE(controls_.help());
}

TEST_F(Top, QQuitsFromEverywhere) {
  EXPECT_FALSE(type("q"));
  EXPECT_FALSE(type("hq"));
  press(KeyPress::enter);
  EXPECT_FALSE(type("q"));
}

TEST_F(Top, EveryLetterHasOneMeaning) {
  std::string letters = "qh?p t/g<>r";
  for (const auto& key : kProcessSorts) {
    EXPECT_EQ(letters.find(key.letter), std::string::npos) << key.letter;
    letters += key.letter;
  }
  letters = "qh?p t/g<>r";
  for (const auto& key : kRowSorts) {
    EXPECT_EQ(letters.find(key.letter), std::string::npos) << key.letter;
    letters += key.letter;
  }
}

}  // namespace
}  // namespace zctrace
