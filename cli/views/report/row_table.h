// SPDX-License-Identifier: MIT
// The table of a report's rows, and the columns that it and CSV are made of. Rearranges a
// report's figures, adds none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/columns.h"
#include "cli/views/numerals.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// A line of a table of rows: whose row it is, nullptr where it is a sum over processes.
struct RowLine {
  const Process* process;
  const Row* row;
};

// What a table of rows shows. `by` is syscall or flow; otherwise each has its syscall and its ends.
// The numerals must live as long as the columns.
struct RowColumnOptions {
  std::optional<GroupBy> by;
  Wording wording;
  bool restarts = false;  // whether any row has restarts
  bool verdicts = false;
  const Numerals* numerals = &full_numerals();
};
Columns<RowLine> row_columns(const RowColumnOptions& options);

// What became of the bytes; a report's table and `top` show it under this title.
inline constexpr std::string_view kVerdictTitle = "HOW";
Cell verdict_cell(Verdict verdict);

// Added up by what `by` names, where it is syscall or flow; each as shown_rows() has it.
std::vector<Row> grouped_rows(const std::vector<Row>& rows, std::optional<GroupBy> by);

// The rows of one process or of a sum, then what happened outside them and their total.
Grid rows_grid(const Process& process, std::optional<GroupBy> by, const Wording& wording);
// What the titles of that mean.
std::vector<ColumnNote> rows_legend(const Process& process, const Wording& wording);

}  // namespace zctrace
