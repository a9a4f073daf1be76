// SPDX-License-Identifier: MIT
#include "cli/reading/saved_grouping.h"

#include <fmt/format.h>

#include <variant>

#include "cli/views/report/channel_table.h"
#include "cli/views/report/report_facts.h"
#include "collector/os/error.h"

namespace zctrace {

std::string saved_by(const nlohmann::ordered_json& json) {
  const auto options = json.find("options");
  if (options == json.end() || !options->is_object()) return "";
  const auto by = options->find("by");
  return by != options->end() && by->is_string() ? by->get<std::string>() : "";
}

// A grouping that the report has not counted would show an empty table.
void check_by(const SavedFile& file, const std::string& by) {
  if (by.empty()) return;
  for (const SavedReport& saved : file.reports) {
    const auto* const report = std::get_if<Report>(&saved.report);
    const bool shows = report == nullptr                   ? by == "syscall"
                       : report->command == "mount"        ? false
                       : is_by_channel(parse_group_by(by)) ? report->channels
                       : by == "thread" ? report->processes.empty() || has_threads(*report)
                                        : true;
    if (!shows)
      throw Error(fmt::format("--by {}: '{}' is a report of '{}' that does not have this; save it "
                              "with --by {} where that command has it",
                              by, file.name, saved.json["command"].get<std::string>(), by),
                  kExitUsage);
  }
}

}  // namespace zctrace
