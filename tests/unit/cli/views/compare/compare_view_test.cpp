// SPDX-License-Identifier: MIT
// A comparison as a table, as CSV, as Markdown and as JSON.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/compare/compare_view.h"
#include "tests/unit/cli/compare/results.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

std::string line_with(const std::string& text, const std::string& part) {
  for (const std::string& line : lines_of(text))
    if (line.find(part) != std::string::npos) return line;
  return "";
}

CompareResult example() {
  return comparison_of({timed("read_write", {90, 91, 92}), timed("splice", {9, 10, 11}, 0),
                        unsupported("reflink", "EXDEV: ioctl FICLONE: Invalid cross-device link")});
}

TEST(CompareTable, SaysWhatTheCpuTimeWasSpentOnWhereThereIsAProfile) {
  CompareResult compared = example();
  const auto text = [&compared] { return compare_table(compared, {false, false, 300}); };
  EXPECT_EQ(text().find("MOST CPU IN"), std::string::npos);
  CpuProfile& profile = compared.methods[0].counts.rows[0].cpu;
  profile.hz = 997;
  profile.of(CpuClass::page_cache) = 300;
  profile.of(CpuClass::network) = 100;
  EXPECT_NE(text().find("MOST CPU IN"), std::string::npos) << text();
  EXPECT_NE(line_with(text(), "read_write  ").find("75% +-4% page cache"), std::string::npos)
      << text();
  const std::string table = text().substr(text().find("where the CPU time went"));
  EXPECT_NE(line_with(table, "METHOD").find("SAMPLES  +-  PAGE CACHE  NETWORK"), std::string::npos)
      << table;
  EXPECT_NE(line_with(table, "read_write/64K").find("400  4%         75%      25%"),
            std::string::npos)
      << table;
  EXPECT_NE(compare_markdown(compared).find("#### where the CPU time went"), std::string::npos);
}

TEST(CompareTable, DoesNotSayWhatASingleSampleWasSpentOn) {
  CompareResult compared = example();
  CpuProfile& profile = compared.methods[0].counts.rows[0].cpu;
  profile.hz = 997;
  profile.of(CpuClass::page_cache) = 1;
  const std::string text = compare_table(compared, {false, false, 300});
  const std::string first = text.substr(0, text.find("where the CPU time went"));
  EXPECT_EQ(first.find("100%"), std::string::npos) << text;
  EXPECT_NE(first.find("MOST CPU IN is - where there are so few samples"), std::string::npos)
      << text;
}

TEST(CompareTable, DividesCpuTimeOnlyWhereThereIsEnough) {
  CompareResult compared = example();
  const std::string text = compare_table(compared, {});
  EXPECT_NE(line_with(text, "read_write  ").find(" 50%     -       -"), std::string::npos) << text;
  EXPECT_NE(text.find("USER and SYSTEM are - where"), std::string::npos) << text;
  const auto row = compare_json(compared)["methods"][0];
  EXPECT_TRUE(row["user_ns"].is_null());
  EXPECT_EQ(row["cpu_ns"], 45'500'000);
  EXPECT_NE(row["unknown"]["system_ns"].get<std::string>().find("less than 100 ms"),
            std::string::npos);
  compared.methods[0].system_ns = {2e8, 2e8, 2e8};
  EXPECT_EQ(compare_json(compared)["methods"][0]["system_ns"], 200'000'000);
  EXPECT_FALSE(compare_json(compared)["methods"][0].contains("unknown"));
  // More than the time, so several threads.
  EXPECT_NE(compare_table(compared, {}).find("CPU% is above 100% where"), std::string::npos);
}

TEST(CompareTable, ExplainsTheMarginOfTheTime) {
  EXPECT_NE(compare_table(example(), {})
                .find("+- is the margin of TIME, the median of the runs (of "
                      "3 runs: half of what they span)"),
            std::string::npos);
  // As the precision is.
  EXPECT_NE(line_with(compare_table(example(), {}), "splice *").find("10.0 ms  10%"),
            std::string::npos);
}

TEST(CompareTable, AnswersBeforeTheTable) {
  const std::string text = compare_table(example(), {});
  EXPECT_LT(text.find("Take splice/64K"), text.find("METHOD"));
  EXPECT_GT(text.find("copied no byte"), text.find("METHOD"));
}

TEST(CompareTable, MarksTheFastestAndTheCheapestRow) {
  const std::string text = compare_table(example(), {});
  EXPECT_NE(line_with(text, "splice *").find("  9.1x  both"), std::string::npos) << text;
  EXPECT_EQ(line_with(text, "read_write  ").find("both"), std::string::npos) << text;
}

TEST(CompareTable, KeepsTheErrnoAndFitsAt80Columns) {
  const std::string text = compare_table(example(), {false, false, 80});
  EXPECT_NE(line_with(text, "reflink").find("EXDEV: ioctl FICLONE"), std::string::npos) << text;
  for (const std::string& line : lines_of(text)) EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_NE(line_with(text, "METHOD").find("+-"), std::string::npos) << text;
  EXPECT_EQ(line_with(text, "METHOD").find("CROSSINGS"), std::string::npos) << text;
}

TEST(CompareTable, ShowsNoSpreadOfOneRun) {
  const CompareResult compared = comparison_of({timed("read_write", {90}), timed("splice", {1})});
  const std::string text = compare_table(compared, {});
  // Of the CPU only: a title and two rows.
  EXPECT_EQ(std::count(text.begin(), text.end(), '%'), 3) << text;
  EXPECT_EQ(text.find("+-"), std::string::npos) << text;
  EXPECT_EQ(text.find("BEST"), std::string::npos) << text;
  EXPECT_TRUE(compare_json(compared)["methods"][0]["wall_ns"]["stddev"].is_null());
  EXPECT_TRUE(compare_json(compared)["fastest"].empty());
}

TEST(CompareTable, ShowsTheShareOfACpuBesideUserAndSystem) {
  const std::string text = compare_table(example(), {});
  EXPECT_NE(line_with(text, "METHOD").find("CPU%  USER  SYSTEM"), std::string::npos) << text;
  EXPECT_NE(line_with(text, "read_write  ").find(" 50% "), std::string::npos) << text;
}

TEST(CompareTable, AddsUpTheCallsOfASyscall) {
  CompareResult compared = example();
  Process& counts = compared.methods[0].counts;
  counts = process_of({row("read", Kind::file, Kind::user, Copy::copied, 3, 300),
                       row("read", Kind::socket, Kind::user, Copy::copied, 2, 100),
                       row("write", Kind::user, Kind::socket, Copy::copied, 4, 400)});
  counts.rows[0].wall_ns = 3000;
  counts.rows[0].min_ns = 700;
  counts.rows[0].max_ns = 1500;
  counts.rows[0].latency.add(10, 3);
  counts.rows[1].wall_ns = 1000;
  counts.rows[1].min_ns = 400;
  counts.rows[1].max_ns = 600;
  counts.rows[1].latency.add(8, 2);
  EXPECT_EQ(compare_table(compared, {}).find("By syscall"), std::string::npos);
  const std::string text = compare_table(compared, {}, GroupBy::syscall);
  const std::string below = text.substr(text.find("By syscall"));
  const std::string reads = line_with(below, "read_write/64K  read ");
  EXPECT_NE(reads.find("5       0  4.00 us  400 ns  800 ns  1.50 us"), std::string::npos) << below;
  // Below the first call of its method, and without times.
  EXPECT_NE(below.find("write         4       0        -       -       -        -"),
            std::string::npos)
      << below;
  EXPECT_NE(below.find("- where there is no time: operations of io_uring"), std::string::npos);
  EXPECT_NE(compare_markdown(compared, GroupBy::syscall).find("#### By syscall"),
            std::string::npos);
}

TEST(CompareTable, NamesTheRoundsOfAnInterruptedComparison) {
  CompareResult compared = example();
  compared.runs = 5;
  compared.interrupted_by = 2;
  EXPECT_NE(compare_table(compared, {}).find("interrupted after 3 of 5 rounds"), std::string::npos);
  EXPECT_NE(compare_markdown(compared).find("interrupted after 3 of 5 rounds"), std::string::npos);
  EXPECT_EQ(compare_json(compared)["rounds"], 3);
  EXPECT_EQ(compare_json(compared)["interrupted_by"], "SIGINT");
}

TEST(CompareJson, ListsTheLeaders) {
  const auto json = compare_json(example());
  EXPECT_EQ(json["fastest"], (std::vector<std::string>{"splice/64K"}));
  EXPECT_EQ(json["cheapest"], (std::vector<std::string>{"splice/64K"}));
  EXPECT_TRUE(json["interrupted_by"].is_null());
}

TEST(CompareJson, HasNullWhereTheCountingPassDidNotHappen) {
  CompareResult compared = example();
  compared.methods[0].daemon.emplace();
  compared.methods[0].counts.pid = 0;
  const auto json = compare_json(compared)["methods"];
  for (const char* name : {"syscalls", "copied_bytes", "voluntary_switches", "minor_faults"}) {
    EXPECT_TRUE(json[0][name].is_null()) << name;
    EXPECT_TRUE(json[0]["daemon"][name].is_null()) << name;
    EXPECT_TRUE(json[1][name].is_number()) << name;
  }
  EXPECT_TRUE(json[0]["daemon"]["fuse_requests"].is_null());
  const auto lines = lines_of(compare_csv(compared));
  EXPECT_NE(lines[1].find(",,,,,,,,,,,,,client,"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find(",,,,,,,,,,,,,daemon,on,,"), std::string::npos) << lines[2];
  EXPECT_NE(lines[3].find(",1,2,0,1048576,"), std::string::npos) << lines[3];
}

TEST(CompareJson, SaysWhatTheClientReadFromADiskOutsideOfItsCalls) {
  CompareResult compared = example();
  compared.methods[0].disk_read_bytes = 1 << 20;  // by page faults
  EXPECT_EQ(compare_json(compared)["methods"][0]["disk_read_bytes"], 1 << 20);
  EXPECT_TRUE(compare_json(compared)["methods"][1]["disk_read_bytes"].is_null());
  EXPECT_NE(lines_of(compare_csv(compared))[1].find(",1048576,0,0,0,"), std::string::npos)
      << compare_csv(compared);
}

TEST(CompareCsv, HasAsManyFieldsInEveryRecord) {
  CompareResult compared = example();
  compared.fuse = true;
  for (MethodResult& row : compared.methods) row.daemon.emplace();
  compared.methods[0].daemon->counts = process_of({});
  const auto lines = lines_of(compare_csv(compared));
  ASSERT_EQ(lines.size(), 6U);  // header, two clients with daemons, one that is unsupported
  for (const std::string& line : lines)
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 38) << line;
  EXPECT_NE(lines[2].find(",daemon,on,"), std::string::npos);
  EXPECT_TRUE(lines[0].ends_with(",fuse_mode"));
  EXPECT_TRUE(lines[2].ends_with(",splice"));
}

TEST(CompareCsv, LeavesTheSpreadOfOneRunEmpty) {
  const auto lines = lines_of(compare_csv(comparison_of({timed("read_write", {90})})));
  EXPECT_NE(lines[1].find(",true,90000000,,90000000,"), std::string::npos) << lines[1];
}

}  // namespace
}  // namespace zctrace
