// SPDX-License-Identifier: MIT
// The sentences about a comparison.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/compare/insights.h"
#include "tests/unit/cli/compare/results.h"

namespace zctrace {
namespace {

using Lines = std::vector<std::string>;

std::string line_with(const Lines& lines, const std::string& part) {
  for (const std::string& line : lines)
    if (line.find(part) != std::string::npos) return line;
  return "";
}

TEST(CompareFindings, KeepACopyInUserSpaceOutOfTheRowsWithoutCopies) {
  MethodResult memcpy = timed("mmap_memcpy", {10, 11, 12}, 0);
  memcpy.copies_in_user_space = true;
  const CompareResult compared = comparison_of(
      {timed("read_write", {90, 91, 92}), timed("sendfile", {10, 11, 12}, 0), memcpy}, "file");
  const Lines lines = findings(compared);
  EXPECT_EQ(line_with(lines, "copied no byte"),
            "sendfile/64K copied no byte through user space; read_write/64K copied 1.0 MiB to move "
            "1.0 MiB.");
  EXPECT_EQ(
      line_with(lines, "mmap_memcpy"),
      "mmap_memcpy/64K copies every byte in user space by loads and stores, which COPIED does "
      "not show.");
}

TEST(CompareFindings, UseTheSingularForOneSyscall) {
  CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("sendfile", {10, 11, 12}, 0)});
  compared.methods[0].counts.rows[0].calls = 2000;
  EXPECT_EQ(line_with(findings(compared), "used"),
            "sendfile/64K used 1 syscall and 0 context switches; read_write/64K used 2,000 and 0.");
}

TEST(CompareFindings, SayThatObservingIsNotMeasurable) {
  const CompareResult compared = comparison_of({timed("read_write", {10, 12, 14})});
  EXPECT_NE(line_with(findings(compared), "observing is not measurable"), "");
}

TEST(CompareWarnings, CountLateRunsInOneLine) {
  const CompareResult compared =
      comparison_of({timed("read_write", {10, 10, 90}), timed("splice", {5, 5, 5, 50})});
  EXPECT_EQ(warnings(compared),
            (Lines{"2 of 7 runs took more than 1.5 times the median of their row (read_write/64K "
                   "and splice/64K): other work probably kept the machine busy."}));
}

TEST(CompareWarnings, NameTheErrorOfALaterRun) {
  CompareResult compared = comparison_of({timed("read_write", {90, 91, 92})});
  compared.methods[0].error = "EIO: read: Input/output error";
  EXPECT_EQ(warnings(compared),
            (Lines{"read_write/64K: a later run failed, so it is not compared with the other "
                   "rows: EIO: read: Input/output error"}));
}

TEST(CompareWarnings, ExplainATimeThatMeansNothing) {
  const CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("mmap_write", {1, 1, 1})}, "null");
  EXPECT_EQ(warnings(compared),
            (Lines{"mmap_write/64K: writing a mapping to /dev/null touches no page, so its time "
                   "means nothing and is not compared."}));
}

}  // namespace
}  // namespace zctrace
