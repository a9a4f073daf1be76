// SPDX-License-Identifier: MIT
// Markdown reports: tables, and names that would end a cell.
#include "cli/views/markdown_view.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

TEST(MarkdownView, IsTables) {
  const std::string markdown = markdown_view(make_report(), std::nullopt);
  EXPECT_TRUE(contains(markdown, "### Report on ./server --root '/srv/a b'\n"));
  EXPECT_TRUE(contains(markdown, "| SYSCALL | FLOW | CALLS |"));
  EXPECT_TRUE(contains(markdown, "| sendfile | file → socket | 15 | 0 | 30.0 MiB |"));
  EXPECT_TRUE(contains(markdown, "| completeness | 0 events lost, nothing left out |"));
  EXPECT_TRUE(contains(markdown, "\nSWITCHES are voluntary / involuntary context switches\n"));
}

TEST(MarkdownView, EscapesWhatWouldEndACellOrALine) {
  const std::string markdown = markdown_view(evil_report(), std::nullopt);
  EXPECT_TRUE(is_harmless(markdown));
  for (const std::string& line : lines_of(markdown)) {
    if (line.rfind("| ", 0) != 0 || !contains(line, "x1b")) continue;
    EXPECT_TRUE(contains(line, "b\\|")) << line;
    EXPECT_TRUE(contains(line, "\\<i\\>")) << line;
    EXPECT_EQ(line.back(), '|');
  }
}

TEST(MarkdownView, LeavesUnderscoresInsideWordsAlone) {
  Report report = make_report();
  report.processes[0].rows[0].syscall = "copy_file_range";
  EXPECT_TRUE(contains(markdown_view(report, std::nullopt), "| copy_file_range |"));
}

TEST(MarkdownView, Of300ProcessesShowsTwenty) {
  const std::string markdown = markdown_view(make_report(300), GroupBy::process);
  EXPECT_LT(lines_of(markdown).size(), 60u);
  EXPECT_TRUE(contains(markdown, "… and 280 more"));
}

TEST(MarkdownView, ByProcessShowsTheRowsOfEach) {
  Report report = selected_report();
  report.processes.push_back(report.processes[0]);
  report.processes[1].pid = 8;
  const std::string markdown = markdown_view(report, GroupBy::process);
  EXPECT_TRUE(contains(markdown, "### serve 7\n"));
  EXPECT_TRUE(contains(markdown, "### serve 8\n"));
  EXPECT_TRUE(contains(markdown, "### all together\n"));
}

}  // namespace
}  // namespace zctrace
