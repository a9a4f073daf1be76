// SPDX-License-Identifier: MIT
// Saved reports for tests of differences.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/diff/difference_of_reports.h"
#include "cli/views/json_view.h"
#include "tests/unit/cli/views/sample_reports.h"

namespace zctrace {

inline SavedFile saved_file(const std::string& name, const std::vector<Report>& reports) {
  std::string text;
  for (const Report& report : reports) text += report_json(report).dump() + "\n";
  return parse_saved_reports(name, text);
}

// A run in which reads copy `copied` bytes with `calls` calls, and take `user_ns`.
inline Report run_of(std::uint64_t calls, std::uint64_t copied, std::uint64_t user_ns = 1'000'000) {
  Report report = make_report();
  Process& process = report.processes[0];
  process.rows[0] = make_row("read", Kind::file, Kind::user, Copy::copied, calls, copied);
  process.user_ns = user_ns;
  return report;
}

inline ReportDiff diff_of_runs(const std::vector<Report>& a, const std::vector<Report>& b) {
  std::vector<SavedFile> files[2];
  for (const Report& report : a) files[0].push_back(saved_file("a.json", {report}));
  for (const Report& report : b) files[1].push_back(saved_file("b.json", {report}));
  return diff_of(side_of(files[0]), side_of(files[1]));
}

}  // namespace zctrace
