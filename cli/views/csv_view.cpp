// SPDX-License-Identifier: MIT
// One record a row, with the units in the column names.
#include "cli/views/csv_view.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "cli/views/report/row_table.h"

namespace zctrace {
namespace {

std::string quoted_csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

// A spreadsheet would take a name such as "=cmd()" for a formula. A leading apostrophe makes it
// text. Numbers keep their sign.
std::string csv_field(std::string_view text) {
  const bool number = text.size() > 1 && text.find_first_not_of("-+.0123456789e") == text.npos;
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != text.npos && !number)
    return quoted_csv_field("'" + std::string(text));
  return quoted_csv_field(text);
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::vector<std::string> quoted;
  quoted.reserve(fields.size());
  for (const std::string& field : fields) quoted.push_back(csv_field(field));
  return fmt::format("{}\n", fmt::join(quoted, ","));
}

std::string csv_view(const Report& report, std::optional<GroupBy> by, std::string_view time,
                     const ChannelLimits& limits) {
  RowColumnOptions options;
  options.by = by;
  options.wording.latency = report.latency;
  const Columns<RowLine> columns = row_columns(options);

  std::string csv;
  const auto add = [&csv, time](std::string_view first, std::vector<std::string> fields) {
    if (!time.empty()) fields.insert(fields.begin(), std::string(first));
    csv += csv_line(fields);
  };
  const auto add_rows = [&](const Process* process, const std::vector<Row>& rows) {
    for (const Row& row : rows) add(time, csv_values(columns, RowLine{process, &row}));
  };
  if (by && is_by_channel(by)) {
    std::string_view first = "time";
    for (std::vector<std::string>& record : channel_csv(report, *by, limits)) {
      add(first, std::move(record));
      first = time;
    }
    return csv;
  }
  add("time", csv_names(columns));
  if (by == GroupBy::syscall || by == GroupBy::flow) {
    add_rows(nullptr, grouped_rows(report.totals().sum.rows, by));
    return csv;
  }
  for (const Process& process : report.processes) add_rows(&process, shown_rows(process.rows));
  add_rows(nullptr, shown_rows(report.others.sum.rows));
  return csv;
}

}  // namespace zctrace
