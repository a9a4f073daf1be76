// SPDX-License-Identifier: MIT
// Where a report goes: the table, and each file that was asked for.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "cli/options/output_options.h"
#include "cli/output/output_file.h"
#include "cli/views/table_view.h"
#include "collector/model/interval_sum.h"
#include "collector/model/report.h"
#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

// What a report looks like in each format; made only where it is wanted.
struct Views {
  std::function<std::string()> table;
  std::function<std::string()> json;
  std::function<std::string()> csv;
  std::function<std::string()> markdown;
  std::function<std::string()> html{};  // where the command has it
  std::function<std::string()> stacks{};
};

// Owns the files that --json, --csv, --markdown, --html and --stacks name.
class Outputs {
 public:
  Outputs(const OutputOptions& options, int table_fd);

  // Writes every view that was asked for, even if others cannot be written: a closed terminal must
  // not cost the files. Each failure but the last is a line on standard error. Throws Error for the
  // last one.
  void write(const Views& views);
  // `stacks`: nullptr where they were not asked for.
  void write(const Report& report, const StackProfile* stacks = nullptr);
  // The same for one interval of many: the table with its time, JSON as one object a line, CSV
  // with one header, each appended to what was written before. A page shows all intervals.
  void write_interval(const Report& report);
  void write_interval(Views views);
  // Once, after all intervals; `report` covers them.
  void write_stacks(const StackProfile* stacks, const Report& report);
  // After the last interval: writes the page. Throws Error.
  void finish_intervals(const StackProfile* stacks = nullptr);
  // The same for reports that were saved. `text` and `json` are what was read, which may have
  // fields that this version does not know.
  void write_saved(const Report& report, const std::string& text,
                   const nlohmann::ordered_json& json);
  void write_saved_interval(const Report& report, const std::string& text);
  // For the page: what happened in an interval of an observation that ends in one report.
  void note_interval(const Report& report);
  // What can go wrong after the command: kExitLost under --strict, else 0.
  int status(const Report& report) const;
  TableStyle style() const;  // of where the table goes

 private:
  Views views_of(const Report& report, const StackProfile* stacks = nullptr);
  std::string page_of(nlohmann::ordered_json json) const;
  Views interval_views_of(const Report& report);
  // One CSV of many: all but the first lose their header.
  std::string without_repeated_header(const std::string& csv);
  void warn_of_mixed_output(const Report& report) const;

  OutputOptions options_;
  int table_fd_;
  OutputFile json_;
  OutputFile csv_;
  OutputFile markdown_;
  OutputFile html_;
  OutputFile stacks_;
  bool csv_header_written_ = false;
  IntervalSum intervals_;  // for the page
};

}  // namespace zctrace
