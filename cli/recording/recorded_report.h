// SPDX-License-Identifier: MIT
// Reports from a recording.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/reading/saved_report.h"
#include "cli/recording/sqlite.h"
#include "collector/model/report.h"

namespace zctrace {

struct RecordedInterval {
  std::int64_t id = 0;
  std::string started_at;
  std::uint64_t at_ns = 0;  // since the recording began
  std::uint64_t duration_ns = 0;
};

// Which part of a recording; a whole one has no bounds.
struct RecordingPart {
  std::optional<std::chrono::nanoseconds> from;  // since it began
  std::optional<std::chrono::nanoseconds> to;
  bool is_whole() const { return !from && !to; }
  // Whether an interval that begins at `at_ns` and ends at `end_ns` is in it.
  bool includes(std::uint64_t at_ns, std::uint64_t end_ns) const;
};

// Reads the tables. Borrows the database. Throws Error: it is not a recording, or damaged.
class RecordedReports {
 public:
  explicit RecordedReports(const SqlDatabase& database);

  std::vector<RecordedInterval> intervals() const;  // in their order
  Report interval(std::int64_t id) const;
  // What a page draws over time ("intervals" of html_page()): a thousand at most, of neighbours
  // added up.
  nlohmann::ordered_json totals_over_time(const RecordingPart& part) const;
  // What the command itself printed; "" where it was killed, or printed intervals.
  std::string whole() const;
  // "stacks" of a report (flame_json.h) that whole() does not have; null: none were sampled.
  nlohmann::ordered_json stacks() const;

 private:
  nlohmann::ordered_json interval_json(std::int64_t id) const;
  std::string value(const char* name) const;

  const SqlDatabase& database_;
};

bool is_recording(const std::string& path);

// One report: what the command printed, or the sum of the intervals that begin in `part`. Throws
// Error. Its JSON, but not its text, has "intervals".
SavedFile read_recording(const std::string& path, const RecordingPart& part);
// A report for each interval.
SavedFile read_recorded_intervals(const std::string& path);

}  // namespace zctrace
