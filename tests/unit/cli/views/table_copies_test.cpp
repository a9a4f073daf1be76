// SPDX-License-Identifier: MIT
// COPIES in tables: shown where the figure says something about the bytes it stands beside.
#include <gtest/gtest.h>

#include <string>

#include "cli/views/table_view.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kN = 1 << 20;

// Two processes, so that there is a table of processes; the first has these rows.
std::string table_of(std::vector<Row> rows, std::optional<GroupBy> by = std::nullopt) {
  Report report = make_report(2);
  report.processes[0].rows = rows;
  report.processes[1].rows = std::move(rows);
  return table_view(report, by, {});
}

Row read_row(std::uint64_t bytes) {
  return make_row("read", Kind::file, Kind::user, Copy::copied, 1, bytes);
}

Row write_row(std::uint64_t bytes) {
  return make_row("write", Kind::user, Kind::file, Copy::copied, 1, bytes);
}

TEST(TableCopies, AreNotShownOfAProcessThatKeepsMostOfWhatItReceives) {
  const std::string kept = table_of({read_row(kN), write_row(kN / 512)});
  EXPECT_FALSE(contains(kept, "513")) << kept;
  EXPECT_TRUE(contains(kept, "COPIES is for each delivered byte; - where")) << kept;
  EXPECT_TRUE(
      contains(kept, "cpu copies       2.0 MiB, of 2.0 MiB received, only 4.0 KiB passed on"))
      << kept;
}

TEST(TableCopies, AreShownOfAProcessThatDeliversAPartOfIt) {
  const std::string half = table_of({read_row(kN), write_row(kN / 4)});
  EXPECT_TRUE(contains(half, "cpu copies       5.00 per delivered byte")) << half;
  EXPECT_FALSE(contains(half, "- where")) << half;
}

TEST(TableCopies, SayWhereTheZeroCopyShareIsOnlyALowerBound) {
  Row lent = make_row("sendto", Kind::user, Kind::socket, Copy::copied, 1, kN);
  lent.cpu_copied_bytes = 0;
  lent.verdict = Verdict::zerocopy;
  const std::string bound = table_of({read_row(kN), lent});
  EXPECT_TRUE(contains(bound, "zero-copy share  at least 0.0%")) << bound;
  EXPECT_TRUE(contains(bound, "at most 100.0%")) << bound;
  EXPECT_TRUE(contains(bound, ">=0.0%")) << bound;
  const std::string exact = table_of({lent});
  EXPECT_TRUE(contains(exact, "zero-copy share  100.0%")) << exact;
  EXPECT_FALSE(contains(exact, ">=")) << exact;
}

TEST(TableCopies, AreNotShownOfARowThatOnlyLookedAtItsBytes) {
  Row peeked = make_row("recvfrom", Kind::socket, Kind::user, Copy::copied, 600, 16);
  peeked.cpu_copied_bytes = std::uint64_t{600} * 16;
  const std::string table = table_of({peeked});
  EXPECT_FALSE(contains(table, "600  600")) << table;
  EXPECT_TRUE(contains(table, "MSG_PEEK copied bytes")) << table;
  EXPECT_FALSE(contains(table_of({read_row(kN)}), "MSG_PEEK"));
}

}  // namespace
}  // namespace zctrace
