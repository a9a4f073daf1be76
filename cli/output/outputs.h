// SPDX-License-Identifier: MIT
// Where a report goes: the table, and each file that was asked for.
#pragma once

#include <functional>
#include <string>

#include "cli/options/output_options.h"
#include "cli/output/output_file.h"
#include "cli/views/table_view.h"
#include "collector/model/report.h"

namespace zctrace {

// What a report looks like in each format; made only where it is wanted.
struct Views {
  std::function<std::string()> table;
  std::function<std::string()> json;
  std::function<std::string()> csv;
  std::function<std::string()> markdown;
};

// Owns the files that --json, --csv and --markdown name.
class Outputs {
 public:
  Outputs(const OutputOptions& options, int table_fd);

  // Writes every view that was asked for, even if others cannot be written: a closed terminal must
  // not cost the files. Each failure but the last is a line on standard error. Throws Error for the
  // last one.
  void write(const Views& views);
  void write(const Report& report);
  // The same for one interval of many: the table with its time, JSON as one object a line, CSV
  // with one header, each appended to what was written before.
  void write_interval(const Report& report);
  void write_interval(Views views);
  // What can go wrong after the command: kExitLost under --strict, else 0.
  int status(const Report& report) const;
  TableStyle style() const;  // of where the table goes

 private:
  // One CSV of many: all but the first lose their header.
  std::string without_repeated_header(const std::string& csv);
  void warn_of_mixed_output(const Report& report) const;

  OutputOptions options_;
  int table_fd_;
  OutputFile json_;
  OutputFile csv_;
  OutputFile markdown_;
  bool csv_header_written_ = false;
};

}  // namespace zctrace
