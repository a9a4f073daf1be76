// SPDX-License-Identifier: MIT
// The page of a report: what is embedded, and what is left out.
#include "cli/views/html/html_page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "cli/views/html/page_report.h"
#include "cli/views/json_view.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kBegin = "<script type=\"application/json\" id=\"report\">";

// The embedded JSON, as a browser takes it out of the page.
std::string embedded(const std::string& page) {
  const std::size_t begin = page.find(kBegin) + kBegin.size();
  return page.substr(begin, page.find("</script", begin) - begin);
}

TEST(HtmlPage, EmbedsTheReport) {
  const ordered_json found = ordered_json::parse(embedded(html_page(report_json(make_report()))));
  EXPECT_EQ(found["command"], "run");
  EXPECT_EQ(found["totals"], report_json(make_report())["totals"]);
}

TEST(HtmlPage, HostileNamesCannotEndTheElement) {
  ordered_json report = report_json(make_report());
  const std::string name = "</script><!--<script>&\xE2\x80\xA8\xE2\x80\xA9\"'\\";
  report["processes"][0]["name"] = name;
  const std::string json = embedded(html_page(report));
  for (const char* markup : {"<", ">", "&", "\xE2\x80\xA8", "\xE2\x80\xA9"})
    EXPECT_FALSE(contains(json, markup)) << markup;
  EXPECT_EQ(ordered_json::parse(json)["processes"][0]["name"], name);
}

TEST(HtmlPage, LoadsNothing) {
  const std::string page = html_page(report_json(make_report()));
  EXPECT_TRUE(contains(page, "default-src 'none'"));
  EXPECT_FALSE(contains(page, "unsafe"));
  for (const char* attribute : {" src=", " href=", "@import", "url("})
    EXPECT_FALSE(contains(page, attribute)) << attribute;
}

TEST(HtmlPage, HasNothingOfALivePage) {
  const std::string page = html_page(report_json(make_report()));
  EXPECT_FALSE(contains(page, "id=\"live\""));
  EXPECT_TRUE(contains(page, "connect-src 'none'"));
}

TEST(LivePage, HasNoReportAndMayFetchOne) {
  const LivePage page = live_page();
  EXPECT_EQ(embedded(page.html), "null");
  EXPECT_TRUE(contains(page.html, "<a href=\"/metrics\">"));
  EXPECT_TRUE(page.policy.starts_with("default-src 'none'; style-src 'sha256-")) << page.policy;
  EXPECT_TRUE(contains(page.policy, "connect-src 'self'"));
  EXPECT_FALSE(contains(page.policy, "unsafe"));
  EXPECT_TRUE(contains(page.html, "content=\"" + page.policy + "\">"));
}

TEST(PageReport, CutsLongTextBetweenCharacters) {
  ordered_json report = report_json(make_report());
  std::string name;
  while (name.size() < 100'000) name += "\xC3\xA4";
  report["processes"][0]["name"] = name;
  report["processes"][0]["argv"] = std::vector<std::string>(100'000, "word");
  const ordered_json process = page_report(report)["processes"][0];
  const std::string cut = process["name"];
  EXPECT_LE(cut.size(), 403u);
  EXPECT_EQ(valid_utf8(cut), cut);
  EXPECT_TRUE(cut.ends_with("\xE2\x80\xA6"));
  EXPECT_EQ(process["argv"].size(), 33u);
}

TEST(PageReport, KeepsTheLargestProcessesAndSaysHowManyAreMissing) {
  ordered_json report = report_json(make_report());
  const ordered_json small = report["processes"][0];
  for (int i = 0; i < 1500; ++i) report["processes"].push_back(small);
  ordered_json large = small;
  large["pid"] = 4711;
  large["copied_bytes"] = 1ULL << 50;
  report["processes"].push_back(large);
  const ordered_json part = page_report(report);
  EXPECT_EQ(part["processes"].size(), 1000u);
  EXPECT_EQ(part["processes"][0]["pid"], 4711);
  EXPECT_EQ(part["page_left_out"]["processes"], 502);
  EXPECT_TRUE(part["processes"][39].contains("rows"));
  EXPECT_FALSE(part["processes"][40].contains("rows"));
}

TEST(PageReport, KeepsOfOperationsWhatThePageShows) {
  ordered_json report = report_json(make_report());
  report["processes"][0]["fuse"]["operations"] = {
      {"lookup", {{"count", 3}, {"errors", 1}, {"bytes", 0}}},
      {"read", {{"count", 2}, {"bytes", 70}, {"copied_bytes", 7}, {"latency_ns", {{"total", 9}}}}}};
  const ordered_json expected = {
      {"lookup", {{"count", 3}}},
      {"read", {{"count", 2}, {"bytes", 70}, {"copied_bytes", 7}, {"total_ns", 9}}}};
  EXPECT_EQ(page_report(report)["processes"][0]["fuse"]["operations"], expected);
}

TEST(PageReport, KeepsNullApartFromZero) {
  ordered_json report = report_json(make_report());
  report["processes"][0]["disk_read_bytes"] = nullptr;
  EXPECT_TRUE(page_report(report)["processes"][0]["disk_read_bytes"].is_null());
}

}  // namespace
}  // namespace zctrace
