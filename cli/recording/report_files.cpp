// SPDX-License-Identifier: MIT
#include "cli/recording/report_files.h"

#include <unistd.h>

#include "cli/recording/recorded_report.h"
#include "collector/os/error.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

// A command is compared as a whole. Of other observations, each interval is a sample.
SavedFile read_for_diff(const std::string& name) {
  if (!is_recording(name)) {
    SavedFile file = read_saved_file(name);
    refuse_estimates(file, "diff");
    return file;
  }
  SavedFile whole = read_recording(name, {});
  return whole.reports.front().json["command"] == "run" ? whole : read_recorded_intervals(name);
}

}  // namespace

std::vector<SavedFile> read_side(const std::string& names) {
  std::vector<SavedFile> files;
  if (::access(names.c_str(), F_OK) == 0) {
    files.push_back(read_for_diff(names));
    return files;
  }
  for (const std::string_view name : split_list(names))
    files.push_back(read_for_diff(std::string(name)));
  if (files.empty()) throw Error("'" + names + "' names no file", kExitUsage);
  return files;
}

}  // namespace zctrace
