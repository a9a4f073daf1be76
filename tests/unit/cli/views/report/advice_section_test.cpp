// SPDX-License-Identifier: MIT
// Advice in tables, Markdown and JSON.
#include "cli/views/report/advice_section.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/table_view.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

Advice sample_advice() {
  Advice advice;
  advice.pids = {7, 8};
  advice.process = "server";
  advice.kind = AdviceKind::relay;
  advice.from = {Kind::file, Protocol::none, {1, 2, 3}, "/srv/big", 1};
  advice.to = {Kind::socket, Protocol::tcp, {}, "", 3000};
  advice.via = {"pread64", "writev"};
  advice.bytes = 1000;
  advice.share_of_delivered = 0.5;
  advice.instead = "sendfile";
  advice.legal = true;
  advice.why = "sendfile reads files";
  advice.saves = {10, 19, 2000, std::nullopt, "the counts"};
  advice.sentence = "server (2 processes) should use sendfile";
  return advice;
}

Report advised(std::vector<Advice> advice) {
  Report report = make_report();
  report.advice = std::move(advice);
  return report;
}

TEST(AdviceSection, FollowsTheSummary) {
  const std::string table = table_view(advised({sample_advice()}), std::nullopt, {});
  const auto lines = lines_of(table);
  EXPECT_TRUE(contains(table,
                       "\nWhat could be done better\nrelay            server (2 processes) "
                       "should use sendfile\n"))
      << table;
  EXPECT_TRUE(contains(lines.back(), "lower bound") ||
              contains(lines.at(lines.size() - 2), "lower bound"))
      << table;
}

TEST(AdviceSection, SaysInOneLineThatThereIsNone) {
  const std::string table = table_view(advised({}), std::nullopt, {});
  EXPECT_EQ(lines_of(table).back(), "advice           nothing to change was found");
  EXPECT_FALSE(contains(table_view(make_report(), std::nullopt, {}), "advice"));
}

TEST(AdviceSection, IsInMarkdownAndNotInCsv) {
  const Report report = advised({sample_advice()});
  EXPECT_TRUE(contains(markdown_view(report, std::nullopt),
                       "### What could be done better\n\n| | |\n|:---|:---|\n| relay | server (2 "
                       "processes) should use sendfile |"))
      << markdown_view(report, std::nullopt);
  EXPECT_EQ(csv_view(report, std::nullopt, {}), csv_view(make_report(), std::nullopt, {}));
}

TEST(AdviceSection, EscapesNames) {
  Advice evil = sample_advice();
  evil.process = evil.from.name = kEvil;
  evil.sentence = kEvil + " should use sendfile";
  evil.via = {kEvil};
  const Report report = advised({evil});
  EXPECT_TRUE(is_harmless(table_view(report, std::nullopt, {})));
  EXPECT_TRUE(is_harmless(markdown_view(report, std::nullopt)));
  EXPECT_EQ(report_json(report)["advice"][0]["from"]["path"], valid_utf8(kEvil));
  EXPECT_NO_THROW(report_json(report).dump());
}

TEST(AdviceJson, HasTheFieldsOfTheInterface) {
  const nlohmann::ordered_json json = report_json(advised({sample_advice()}))["advice"];
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0].dump(),
            R"({"pid":7,"pids":[7,8],"name":"server","kind":"relay",)"
            R"("from":{"kind":"file","path":"/srv/big","count":1},)"
            R"("to":{"kind":"socket","protocol":"tcp","peer":null,"count":3000},)"
            R"("via":["pread64","writev"],"bytes":1000,"share_of_delivered":0.5,)"
            R"("instead":"sendfile","legal":true,"why":"sendfile reads files",)"
            R"("saves":{"syscalls":10,"syscalls_most":19,"cpu_copied_bytes":2000,"cpu_ns":null,)"
            R"("basis":"the counts"},"waited_ns":null,)"
            R"("sentence":"server (2 processes) should use sendfile","stack":null})");
  EXPECT_TRUE(report_json(advised({}))["advice"].is_array());
  EXPECT_FALSE(report_json(make_report()).contains("advice"));
}

TEST(AdviceJson, HasNullWhereThereIsNothing) {
  Advice advice = sample_advice();
  advice.pids.clear();
  advice.process.clear();
  advice.instead.clear();
  advice.share_of_delivered = std::nullopt;
  const nlohmann::ordered_json json = report_json(advised({advice}))["advice"][0];
  for (const char* name : {"pid", "name", "instead", "share_of_delivered"})
    EXPECT_TRUE(json[name].is_null()) << name;
}

}  // namespace
}  // namespace zctrace
