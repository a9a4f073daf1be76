// SPDX-License-Identifier: MIT
// Files that are cut off, of another version, or hostile.
#include "cli/reading/saved_report.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "cli/views/compare/compare_view.h"
#include "cli/views/json_view.h"
#include "collector/os/error.h"
#include "tests/unit/cli/compare/results.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {
namespace {

std::string error_of(const std::string& text, const DocumentLimits& limits = {}) {
  try {
    parse_saved_reports("f", text, limits);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// The error of a report in which `change` was made.
template <typename Change>
std::string error_after(Change change) {
  nlohmann::ordered_json json = report_json(make_report());
  change(json);
  return error_of(json.dump());
}

TEST(SavedReport, NamesTheValueThatIsWrong) {
  EXPECT_EQ(
      error_after([](auto& json) { json["processes"][0]["rows"][2]["calls"] = "many"; }),
      "cannot read 'f': processes[0].rows[2].calls must be a whole number from 0, not string");
  EXPECT_EQ(
      error_after([](auto& json) { json["processes"][0]["rows"][2]["calls"] = -1; }),
      "cannot read 'f': processes[0].rows[2].calls must be a whole number from 0, not another "
      "number");
  EXPECT_EQ(
      error_after([](auto& json) { json["processes"][0]["rows"][0]["from"] = "moon"; }),
      "cannot read 'f': processes[0].rows[0].from is not the name of a kind that this version "
      "knows");
  EXPECT_EQ(error_after([](auto& json) { json.erase("host"); }),
            "cannot read 'f': the report has no 'host'");
  EXPECT_EQ(error_after([](auto& json) { json["processes"] = nullptr; }),
            "cannot read 'f': processes must be an array, not null");
}

TEST(SavedReport, ChecksThatStacksAreATree) {
  const auto with_stacks = [](auto change) {
    return error_after([&](auto& json) {
      const auto frame = [](nlohmann::ordered_json parent, const char* kind) {
        return nlohmann::ordered_json{{"parent", std::move(parent)},
                                      {"name", "f"},
                                      {"kind", kind},
                                      {"samples", 1},
                                      {"bytes", 1},
                                      {"margin_bytes", 0}};
      };
      json["stacks"] = {{"every_bytes", 1},
                        {"samples", 1},
                        {"left_out", 0},
                        {"frames", {frame(nullptr, "all"), frame(0, "user"), frame(1, "call")}}};
      change(json["stacks"]["frames"]);
    });
  };
  EXPECT_EQ(with_stacks([](auto&) {}), "");
  EXPECT_EQ(
      with_stacks([](auto& frames) { frames[2]["parent"] = 2; }),
      "cannot read 'f': stacks.frames[2].parent must be the place of a frame before this one");
  EXPECT_EQ(
      with_stacks([](auto& frames) { frames[1]["parent"] = nullptr; }),
      "cannot read 'f': stacks.frames[1].parent must be the place of a frame before this one");
  EXPECT_EQ(with_stacks([](auto& frames) { frames[0]["parent"] = 0; }),
            "cannot read 'f': stacks.frames[0].parent must be null, for the first frame");
  EXPECT_EQ(with_stacks([](auto& frames) { frames[1]["kind"] = "moon"; }),
            "cannot read 'f': stacks.frames[1].kind is not the name of a kind of frame that this "
            "version knows");
  EXPECT_EQ(with_stacks([](auto& frames) { frames.clear(); }),
            "cannot read 'f': stacks.frames must have a frame");
  EXPECT_EQ(with_stacks([](auto& frames) {
              for (int i = 0; i < 2500; ++i) frames.push_back(frames[2]);
            }),
            "cannot read 'f': stacks.frames must have at most 2500 frames");
}

TEST(SavedReport, RefusesControlCharactersInItsOwnWords) {
  EXPECT_EQ(error_after([](auto& json) { json["started_at"] = "\x1b[31m"; }),
            "cannot read 'f': started_at must be plain text");
}

TEST(SavedReport, SaysThatAFileIsCutOff) {
  const std::string whole = report_json(make_report()).dump(2);
  for (std::size_t size = 1; size < whole.size(); size += 97)
    EXPECT_EQ(error_of(whole.substr(0, size)),
              "'f' is cut off: it ends in the middle of a JSON document");
  EXPECT_EQ(error_of(""), "'f' is empty");
  EXPECT_EQ(error_of(" \n"), "'f' is empty");
}

TEST(SavedReport, SaysWhereTheSyntaxIsWrong) {
  EXPECT_EQ(error_of("{\n  \"a\": ?}"),
            "'f' is not a report: JSON syntax error in line 2, column 8");
  EXPECT_EQ(error_of("\x7f"
                     "ELF"),
            "'f' is not a report: JSON syntax error in line 1, column 1");
}

TEST(SavedReport, SaysWhichSchemaItReads) {
  EXPECT_NE(error_of(R"({"schema":"zctrace/1"})").find("counts no copies"), std::string::npos);
  EXPECT_EQ(error_of(R"({"schema":"zctrace/9"})"),
            "cannot read 'f': it follows schema 'zctrace/9'; this version reads zctrace/2");
  EXPECT_NE(error_of(R"({"schema":"zctrace-diff/1"})").find("zctrace diff"), std::string::npos);
  EXPECT_EQ(error_of("[]"), "cannot read 'f': the report has no 'schema'; it is not zctrace's");
}

TEST(SavedReport, BoundsWhatADocumentMayHave) {
  EXPECT_NE(error_of(std::string(100'000, '[')).find("nested"), std::string::npos);
  std::string members = "{";
  for (int i = 0; i < 2000; ++i) members += "\"" + std::to_string(i) + "\":0,";
  EXPECT_NE(error_of(members).find("more than 1000 members"), std::string::npos);
  DocumentLimits limits;
  limits.values = 10;
  EXPECT_NE(error_of("[0,0,0,0,0,0,0,0,0,0,0]", limits).find("more than 10 values"),
            std::string::npos);
}

TEST(SavedReport, ReadsIntervalsAndLeavesOutALineThatIsCutOff) {
  const std::string line = report_json(make_report()).dump() + "\n";
  SavedFile file = parse_saved_reports("f", line + line + line);
  EXPECT_TRUE(file.intervals);
  EXPECT_FALSE(file.cut_off);
  EXPECT_EQ(file.reports.size(), 3U);
  EXPECT_EQ(file.reports[1].text, line);
  file = parse_saved_reports("f", line + line + line.substr(0, 50));
  EXPECT_TRUE(file.cut_off);
  EXPECT_EQ(file.reports.size(), 2U);
  EXPECT_EQ(error_of(line + "{\n" + line),
            "cannot read 'f': line 2 is not JSON: error in column 2");
}

TEST(SavedReport, KeepsFieldsThatThisVersionDoesNotKnow) {
  nlohmann::ordered_json json = report_json(make_report());
  json["of_the_future"] = {1, 2, 3};
  const std::string text = json.dump(2) + "\n";
  const SavedFile file = parse_saved_reports("f", text);
  EXPECT_FALSE(file.intervals);
  EXPECT_EQ(file.reports[0].text, text);
  EXPECT_EQ(file.reports[0].json["of_the_future"][2], 3);
}

void expect_same_comparison(const CompareResult& compared) {
  const std::string json = compare_json(compared).dump(2);
  const CompareResult again =
      std::get<CompareResult>(parse_saved_reports("f", json).reports[0].report);
  EXPECT_EQ(compare_json(again).dump(2), json);
  EXPECT_EQ(compare_table(again, {}, GroupBy::syscall),
            compare_table(compared, {}, GroupBy::syscall));
  EXPECT_EQ(compare_csv(again), compare_csv(compared));
  EXPECT_EQ(compare_markdown(again, GroupBy::syscall),
            compare_markdown(compared, GroupBy::syscall));
}

CompareResult comparison() {
  CompareResult compared =
      comparison_of({timed("read_write", {90, 91, 92}), timed("splice", {9, 10, 11}, 0),
                     unsupported("reflink", "EXDEV: ioctl FICLONE: Invalid cross-device link")});
  compared.started_at = "2026-01-01T00:00:00Z";
  compared.methods[0].copies = Copies{1, 0.5, 1, "aliasing"};
  compared.methods[0].counts.outside_syscalls = {5, 6, 0};
  compared.methods[0].counts.rows[0].latency.add(11, 1);
  compared.methods[0].counts.rows[0].max_ns = 1700;
  compared.methods[0].counts.rows[0].min_ns = 1600;
  compared.methods[1].copies_unknown = "no bytes were moved";
  compared.methods[1].pipe_bytes = 65536;
  compared.methods[1].copies_in_user_space = true;
  return compared;
}

TEST(SavedReport, KeepsAComparison) {
  CompareResult compared = comparison();
  expect_same_comparison(compared);
  compared.textbook = compared.cold = true;
  compared.precision = 0.05;
  compared.interrupted_by = 2;
  compared.runs = 7;
  compared.sort_by("time");
  expect_same_comparison(compared);
  compared.methods[0].counts.pid = 0;
  expect_same_comparison(compared);
}

TEST(SavedReport, KeepsAComparisonWithDaemons) {
  CompareResult compared = comparison();
  compared.fuse = true;
  for (MethodResult& row : compared.methods) {
    DaemonResult& daemon = row.daemon.emplace();
    daemon.mode = FuseMode::passthrough;
    if (!row.timed()) continue;
    daemon.user_ns = {1e6, 2e6, 3e6};
    daemon.system_ns = {4e6, 4e6, 4e6};
    daemon.counts = process_of({make_row("read", Kind::fuse, Kind::user, Copy::copied, 3, 99)});
    daemon.usage = {5, 0, 1000, 0, 300, 700};
  }
  expect_same_comparison(compared);
}

TEST(SavedReport, RefusesAComparisonThatCouldNotBeShown) {
  nlohmann::ordered_json json = compare_json(comparison());
  json["methods"][0]["buffer_bytes"] = 0;
  EXPECT_EQ(error_of(json.dump()),
            "cannot read 'f': methods[0].buffer_bytes must be greater than 0");
  json = compare_json(comparison());
  json["methods"][0]["fuse_splice"] = true;
  EXPECT_NE(error_of(json.dump()).find("has no 'daemon'"), std::string::npos);
  json = compare_json(comparison());
  json["methods"][0]["wall_ns"]["runs"] = nlohmann::ordered_json::array();
  EXPECT_NE(error_of(json.dump()).find("must not be empty"), std::string::npos);
}

}  // namespace
}  // namespace zctrace
