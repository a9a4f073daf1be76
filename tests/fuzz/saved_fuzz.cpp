// SPDX-License-Identifier: MIT
// Saved reports: any text is refused with one line, or shown in every format. Most inputs are edits
// of reports that are right, a line each: "/processes/0/rows/0/calls -1". Conditions of --fail-if
// are parsed likewise.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "cli/diff/condition.h"
#include "cli/reading/saved_report.h"
#include "cli/text/printable.h"
#include "cli/views/compare/compare_view.h"
#include "cli/views/csv_view.h"
#include "cli/views/diff/diff_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/mount/mount_view.h"
#include "cli/views/table_view.h"
#include "collector/os/error.h"
#include "tests/fuzz/require.h"
#include "tests/unit/cli/compare/results.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace {

using namespace zctrace;

void require_harmless(std::string_view text) {
  require(std::none_of(text.begin(), text.end(),
                       [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7F; }),
          "no control character reaches a terminal");
  require(valid_utf8(text) == text, "text is UTF-8");
}

void show(const Report& report) {
  for (const GroupBy by : {GroupBy::process, GroupBy::flow, GroupBy::file, GroupBy::port}) {
    require_harmless(table_view(report, by, {false, true, 80}));
    require_harmless(csv_view(report, by));
    require_harmless(markdown_view(report, by));
  }
  const std::string json = report_json(report).dump();
  if (!report.mount) {
    const SavedFile again = parse_saved_reports("again", json);
    require(report_json(std::get<Report>(again.reports[0].report)).dump() == json,
            "what was read is written as it was");
    return;
  }
  require_harmless(mount_table(report, {}));
  require_harmless(mount_csv(report));
  mount_json(report).dump();
}

void show(const CompareResult& compared) {
  require_harmless(compare_table(compared, {false, true, 80}, GroupBy::syscall));
  require_harmless(compare_csv(compared));
  require_harmless(compare_markdown(compared, GroupBy::syscall));
  compare_json(compared).dump();
}

void read(std::string_view text) {
  const SavedFile file = parse_saved_reports("f", text);
  for (const SavedReport& saved : file.reports)
    std::visit([](const auto& report) { show(report); }, saved.report);
  const ReportDiff diff = diff_of(side_of({file}), side_of({file}));
  require_harmless(diff_table(diff, true, {false, true, 80}));
  diff_json(diff, {}).dump();
}

// A process with files and peers, a mount's would need a daemon; a comparison with two rows.
nlohmann::ordered_json sample(bool of_methods) {
  if (of_methods) return compare_json(comparison_of({timed("a", {9, 8, 7}), timed("b", {1, 2})}));
  Report report = make_report(2);
  report.channels = true;
  const ChannelId file{10, 1, 3};
  report.channel_names[file].path = "/srv/file";
  report.processes[0].flows = {{file, {77, 9, 0}, report.processes[0].rows[2]}};
  report.processes[0].delivered_to_pipes = -7;
  return report_json(report);
}

std::string edited(nlohmann::ordered_json json, std::string_view edits) {
  while (!edits.empty()) {
    const std::string_view line = edits.substr(0, edits.find('\n'));
    edits.remove_prefix(std::min(line.size() + 1, edits.size()));
    const std::size_t space = line.find(' ');
    if (space == line.npos) continue;
    try {
      json[nlohmann::ordered_json::json_pointer(std::string(line.substr(0, space)))] =
          nlohmann::ordered_json::parse(line.substr(space + 1));
    } catch (const nlohmann::ordered_json::exception&) {
    }
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void read_or_refuse(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    require_harmless(error.what());
  }
}

void check_condition_text(const std::string& text) {
  try {
    const Condition condition = parse_condition(text);
    require(!condition.figure.empty() && !condition.comparison.empty(), "a condition is whole");
  } catch (const Error& error) {
    require(error.exit_code() == kExitUsage, "a wrong condition is a usage error");
    require_harmless(error.what());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  read_or_refuse(text);
  for (const bool of_methods : {false, true}) read_or_refuse(edited(sample(of_methods), text));
  check_condition_text(text);
  return 0;
}
