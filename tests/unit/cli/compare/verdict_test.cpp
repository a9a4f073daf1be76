// SPDX-License-Identifier: MIT
// Which row a comparison recommends, and how it says so.
#include "cli/compare/verdict.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/compare/insights.h"
#include "cli/views/compare/compare_view.h"
#include "tests/unit/cli/compare/results.h"

namespace zctrace {
namespace {

using Lines = std::vector<std::string>;

// A row whose CPU time is `share` of its time.
MethodResult with_cpu(MethodResult result, double share) {
  for (std::size_t i = 0; i < result.wall_ns.size(); ++i)
    result.system_ns[i] = share * result.wall_ns[i];
  return result;
}

TEST(CompareVerdict, NamesTheRowToTakeWithItsMargin) {
  const CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("splice", {9.9, 10, 10.1})});
  EXPECT_EQ(verdict(compared), (Lines{"Take splice/64K: 9.1 ± 0.2 times as fast as read_write/64K, "
                                      "with 0.11 of the CPU time."}));
  const auto json = compare_json(compared)["verdict"];
  EXPECT_EQ(json["take"], "splice/64K");
  EXPECT_EQ(json["against"], "read_write/64K");
  EXPECT_EQ(json["by"], "time");
  EXPECT_DOUBLE_EQ(json["speed"], 9.1);
}

TEST(CompareVerdict, ComparesABaselineThatLeadsWithTheNext) {
  const CompareResult compared =
      comparison_of({timed("sendfile", {9.9, 10, 10.1}), timed("splice", {19.9, 20, 20.1})});
  EXPECT_EQ(
      verdict(compared).front(),
      "Take sendfile/64K, the baseline: 2.00 ± 0.03 times as fast as splice/64K, with 0.50 of "
      "the CPU time.");
}

TEST(CompareVerdict, ListsRowsThatCannotBeToldApart) {
  const CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("tee", {10, 11, 12}),
                     timed("sendfile", {10, 12, 14}), timed("splice", {10, 13, 14})});
  EXPECT_EQ(verdict(compared).front(),
            "Take tee/64K: 8.3 ± 0.9 times as fast as read_write/64K, with 0.12 of the CPU time.");
  EXPECT_EQ(verdict(compared)[1],
            "sendfile/64K and splice/64K cannot be told apart from it by time.");
}

TEST(CompareVerdict, TakesTheLeastCpuTimeOfRowsThatAreEquallyFast) {
  const CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), with_cpu(timed("tee", {10, 11, 12}), 0.9),
                     with_cpu(timed("splice", {10, 11.5, 12}), 0.2)});
  EXPECT_EQ(choose(compared).take->method, "splice");
  EXPECT_EQ(verdict(compared)[1], "tee/64K cannot be told apart from it by time.");
}

TEST(CompareVerdict, GoesByCpuTimeWhereNoRowIsFaster) {
  const CompareResult compared = comparison_of({with_cpu(timed("read_write", {10, 14, 18}), 0.9),
                                                with_cpu(timed("splice", {10, 14, 18}), 0.1)});
  EXPECT_EQ(verdict(compared),
            (Lines{"Take splice/64K: no row is clearly faster, and it needs only "
                   "0.11 of the CPU time of read_write/64K."}));
  EXPECT_EQ(compare_json(compared)["verdict"]["by"], "cpu");
}

// A row that is far behind says nothing about those that lead, if the baseline is among them.
TEST(CompareVerdict, DoesNotCompareWithTheWorstRowWhereTheBaselineIsAsFast) {
  const auto rows = [](double cpu_of_splice) {
    return comparison_of({timed("read_write", {10, 14, 18}),
                          with_cpu(timed("splice", {10, 13, 17}), cpu_of_splice),
                          timed("direct_read_write", {400, 410, 420})});
  };
  EXPECT_EQ(
      verdict(rows(0.5)).front(),
      "2 of the 3 rows cannot be told apart by time, and none of them needs clearly less CPU "
      "time than read_write/64K, the baseline. Only direct_read_write/64K is clearly slower.");
  EXPECT_TRUE(compare_json(rows(0.5))["verdict"].is_null());
  EXPECT_EQ(verdict(rows(0.001)).front(),
            "Take splice/64K: no row is clearly faster, and it needs only a hundredth of the CPU "
            "time of read_write/64K.");
  EXPECT_EQ(compare_json(rows(0.001))["verdict"]["against"], "read_write/64K");
}

TEST(CompareVerdict, TakesTheBaselineWhereAllOthersNeedMoreCpuTime) {
  const CompareResult compared = comparison_of({with_cpu(timed("read_write", {10, 14, 18}), 0.1),
                                                with_cpu(timed("splice", {10, 14, 18}), 0.9)});
  EXPECT_EQ(
      verdict(compared).front(),
      "Take read_write/64K, the baseline: no row is clearly faster, and it needs only 0.11 of "
      "the CPU time of splice/64K.");
}

TEST(CompareVerdict, NamesTheCheapestRowWhereItIsAnother) {
  const CompareResult compared = comparison_of({with_cpu(timed("read_write", {90, 91, 92}), 0.5),
                                                with_cpu(timed("splice", {9.9, 10, 10.1}), 1.0),
                                                with_cpu(timed("tee", {19.9, 20, 20.1}), 0.1)});
  EXPECT_EQ(verdict(compared).back(),
            "tee/64K needs the least CPU time: 0.04 of that of read_write/64K.");
}

TEST(CompareVerdict, SaysThatTheRowsCannotBeToldApart) {
  const CompareResult compared =
      comparison_of({timed("read_write", {10, 14, 18}), timed("splice", {9, 13, 17})});
  EXPECT_EQ(
      verdict(compared),
      (Lines{"The 2 rows cannot be told apart: neither time nor CPU time differs by more than "
             "the spread. --precision asks for more runs."}));
  EXPECT_TRUE(compare_json(compared)["verdict"].is_null());
}

TEST(CompareVerdict, OneRunIsTooFewForAVerdict) {
  const CompareResult compared = comparison_of({timed("read_write", {90}), timed("splice", {1})});
  EXPECT_EQ(
      verdict(compared),
      (Lines{"1 run of each row is too few to tell which row is fastest; use --runs 3 or more."}));
}

TEST(CompareVerdict, ShowsBothEndsOfAWideInterval) {
  const CompareResult compared =
      comparison_of({timed("read_write", {99, 100, 101}), timed("splice", {9, 10, 40})});
  EXPECT_EQ(verdict(compared).front(),
            "Take splice/64K: 10 (2.5 to 11) times as fast as read_write/64K, with 0.10 of the CPU "
            "time.");
}

TEST(CompareVerdict, OfASingleRowIsEmpty) {
  EXPECT_EQ(verdict(comparison_of({timed("read_write", {90, 91, 92})})), Lines());
}

TEST(CompareVerdict, IsTheSameForTheSameFigures) {
  const CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("splice", {9, 10, 11})});
  EXPECT_EQ(insights(compared), insights(compared));
}

TEST(CompareVerdict, IsReadableInAscii) {
  const CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("splice", {9.9, 10, 10.1})});
  EXPECT_NE(compare_table(compared, {}).find("9.1 +- 0.2 times as fast"), std::string::npos);
  EXPECT_NE(compare_table(compared, {false, true, 0}).find("9.1 ± 0.2 times"), std::string::npos);
}

TEST(ComparePrecision, IsShownAsItWasReached) {
  CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("splice", {8, 10, 12})});
  compared.precision = 0.05;
  EXPECT_DOUBLE_EQ(*compared.precision_reached(), 0.2);
  EXPECT_NE(compare_table(compared, {}).find("medians are known within 20.0% at worst, not 5%"),
            std::string::npos);
  compared.precision = 0.25;
  EXPECT_NE(compare_table(compared, {}).find("each median is known within 20.0%"),
            std::string::npos);
  EXPECT_EQ(compare_json(compared)["precision"]["asked"], 0.25);
}

}  // namespace
}  // namespace zctrace
