// SPDX-License-Identifier: MIT
// The table of a report's processes, and the columns that it and `top` are made of. Rearranges a
// report's figures, adds none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/columns.h"
#include "cli/views/numerals.h"
#include "cli/views/wording.h"
#include "collector/model/process_summary.h"
#include "collector/model/report.h"

namespace zctrace {

// A line of a table of processes: one of them, or the sum of several.
struct ProcessLine {
  const Process* process;
  ProcessSummary figures;
  std::uint64_t summed = 0;  // how many; 0: it is one process
  std::string sum_name;      // of a sum
};

// The column of the command lines. It stays, and wide enough to show where they differ, if some
// processes have the same name.
struct NamedCommand {
  std::string name;
  std::string command;
};
Column command_column(std::vector<NamedCommand> commands);

// What processes have to show. The numerals must live as long as the columns.
struct ProcessColumnOptions {
  Wording wording;
  bool threads = false;  // whether they are threads
  bool errors = false;   // whether any has some
  const Numerals* numerals = &full_numerals();
  Column command = command_column({});
  bool containers = false;  // whether any is in one
};
Columns<ProcessLine> process_columns(const ProcessColumnOptions& options);

// One line a process or thread, those that moved the most bytes first, at most kProcessLines;
// then one for the others, if any.
inline constexpr std::size_t kProcessLines = 20;
Grid processes_grid(const Report& report, const Wording& wording);
// What the table leaves out, "" if nothing.
std::string processes_left_out(const Report& report, const Wording& wording);

// As processes_grid orders them.
std::vector<const Process*> by_bytes(const std::vector<Process>& processes);

}  // namespace zctrace
