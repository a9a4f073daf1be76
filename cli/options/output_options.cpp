// SPDX-License-Identifier: MIT
// The options of --by and of each file.
#include "cli/options/output_options.h"

namespace zctrace {

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--by", options.by, "Group the table by process, thread, syscall or flow")
      ->check(CLI::IsMember({"process", "thread", "syscall", "flow"}))
      ->type_name("WHAT");
  command
      .add_option("--max-processes", options.max_processes,
                  "Ended processes listed apart; those that moved the least are added up")
      ->check(CLI::Range(std::size_t{0}, std::size_t{10000000}))
      ->type_name("N")
      ->capture_default_str();
  add_file_options(command, options);
}

void add_file_options(CLI::App& command, OutputOptions& options) {
  command.add_option("--json", options.json, "Write the report as JSON; - for standard output")
      ->type_name("FILE");
  command.add_option("--csv", options.csv, "Write the rows as CSV; - for standard output")
      ->type_name("FILE");
  command
      .add_option("--markdown", options.markdown,
                  "Write the table as Markdown; - for standard output")
      ->type_name("FILE");
  command.add_flag("-q,--quiet", options.quiet, "No table");
  command.add_flag("--strict", options.strict, "Exit with 3 when any event was lost");
}

std::optional<GroupBy> group_by(const OutputOptions& options) { return parse_group_by(options.by); }

}  // namespace zctrace
