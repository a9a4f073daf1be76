// SPDX-License-Identifier: MIT
// A table as one list of columns, from which both the table and the CSV file come, so that a new
// column is one entry.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/views/cell.h"

namespace zctrace {

// What a column shows of a record. One without a title is in CSV only, one without a CSV name
// in tables only.
template <typename Record>
struct RecordColumn {
  Column column;
  std::function<Cell(const Record&)> cell;
  std::string csv_name;
  std::function<std::string(const Record&)> csv;  // before quoting; "" where there is no value
};

template <typename Record>
using Columns = std::vector<RecordColumn<Record>>;

template <typename Record>
std::vector<Cell> line_of(const Columns<Record>& columns, const Record& record) {
  std::vector<Cell> line;
  for (const RecordColumn<Record>& column : columns)
    if (!column.column.title.empty()) line.push_back(column.cell(record));
  return line;
}

template <typename Record>
Grid grid_of(const Columns<Record>& columns, const std::vector<Record>& records) {
  Grid grid;
  for (const RecordColumn<Record>& column : columns)
    if (!column.column.title.empty()) grid.columns.push_back(column.column);
  for (const Record& record : records) grid.lines.push_back(line_of(columns, record));
  return grid;
}

// The fields of one CSV line: the header, or a record.
template <typename Record>
std::vector<std::string> csv_names(const Columns<Record>& columns) {
  std::vector<std::string> names;
  for (const RecordColumn<Record>& column : columns)
    if (!column.csv_name.empty()) names.push_back(column.csv_name);
  return names;
}

template <typename Record>
std::vector<std::string> csv_values(const Columns<Record>& columns, const Record& record) {
  std::vector<std::string> values;
  for (const RecordColumn<Record>& column : columns)
    if (!column.csv_name.empty()) values.push_back(column.csv(record));
  return values;
}

}  // namespace zctrace
