// SPDX-License-Identifier: MIT
// Which errors and broken promises a table names and colours.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "cli/views/table_view.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

TEST(TableErrors, NamesTheErrorsOfCallsThatMoveBytes) {
  Report report = selected_report();
  Row& sendfile = report.processes[0].rows[0];
  Row& other = report.processes[0].rows[3];
  other.errors = 70;
  other.errors_by = {{ENOENT, 70}};
  EXPECT_FALSE(contains(table_view(report, std::nullopt, {}), "ENOENT"));
  sendfile.errors = 3;
  sendfile.errors_by = {{EAGAIN, 1}, {ECONNRESET, 2}};
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}),
                       "2 ECONNRESET in sendfile, 1 EAGAIN in sendfile"));
  sendfile.errors_by = {{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 6}};
  EXPECT_TRUE(contains(table_view(report, std::nullopt, {}), "3 ESRCH in sendfile, 3 others"));
}

TEST(TableErrors, ColoursErrorsThatAreUnusualOrTheMostOfARow) {
  const std::string red = "\x1b[1;31m";
  const auto is_red = [&red](const Report& report) {
    return contains(table_view(report, std::nullopt, {true, true, 120}), red);
  };
  Report report = selected_report();
  Row& sendfile = report.processes[0].rows[0];  // three calls
  Row& other = report.processes[0].rows[3];
  other.errors = other.calls;
  EXPECT_FALSE(is_red(report));
  sendfile.errors = 1;  // EAGAIN, once the socket is full
  EXPECT_FALSE(is_red(report));
  sendfile.errors_by = {{ENOSPC, 1}};
  EXPECT_TRUE(is_red(report));
  sendfile.errors_by = {{EAGAIN, 1}};
  EXPECT_FALSE(is_red(report));
  sendfile.errors = 2;
  EXPECT_TRUE(is_red(report));
  sendfile.syscall = "ioctl:FICLONE";
  sendfile.errors = 3;
  EXPECT_FALSE(is_red(report));
}

TEST(TableErrors, SayAtAnyWidthWhatWasCopiedAgainstTheRequest) {
  const std::string told = "sendfile: copied: the device cannot gather";
  Report report = selected_report();
  Row& sendfile = report.processes[0].rows[0];
  for (const auto& [verdict, warns] : {std::pair{Verdict::by_reference, false},
                                       {Verdict::no_gather, true},
                                       {Verdict::none, false}}) {
    sendfile.verdict = verdict;
    for (const std::size_t width : {60, 80, 200})
      EXPECT_EQ(contains(table_view(report, std::nullopt, {false, false, width}), told), warns)
          << width;
  }
}

}  // namespace
}  // namespace zctrace
