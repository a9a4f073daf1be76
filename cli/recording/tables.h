// SPDX-License-Identifier: MIT
// The tables of a recording; docs/recording.md describes them. Figures are columns with the names
// of the JSON; what remains of an object is JSON in the column "details".
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/recording/sqlite.h"

namespace zctrace {

inline constexpr const char* kRecordingSchema = "zctrace-recording/1";

struct RecordedColumn {
  std::string name;
  std::string member;  // of the JSON object
  const char* type;    // in SQL
};
using RecordedColumns = std::vector<RecordedColumn>;

// Of a row, also of a flow.
const RecordedColumns& recorded_row_columns();
// Of a process, or of the other processes, in an interval.
const RecordedColumns& recorded_usage_columns();

// The statements that create all tables and views.
std::string recording_tables();

// "INSERT INTO table (first, second, COLUMN..., details) VALUES (?, ...)"
std::string insert_statement(const std::string& table, const std::vector<std::string>& first,
                             const RecordedColumns& columns);

// Binds the members of `object` that are columns, then the rest as details. Members that
// `left_out` names follow from others.
void bind_object(SqlStatement& statement, nlohmann::ordered_json object,
                 const RecordedColumns& columns, const std::vector<std::string>& left_out);

// The object again, from a row of the table: the columns from `first` on, then details. Throws
// Error: details is not a JSON object.
nlohmann::ordered_json object_of(const SqlStatement& statement, int first,
                                 const RecordedColumns& columns);

}  // namespace zctrace
