// SPDX-License-Identifier: MIT
// The options of --by and of each file.
#include "cli/options/output_options.h"

#include "cli/options/validators.h"

namespace zctrace {
namespace {

constexpr const char* kGroup = "Output";

}  // namespace

void add_by_option(CLI::App& command, OutputOptions& options) {
  command
      .add_option(
          "--by", options.by,
          "Group the table by process, thread, syscall, flow, file, peer or port (default: syscall "
          "and flow)")
      ->check(one_of({"process", "thread", "syscall", "flow", "file", "peer", "port"}))
      ->type_name("WHAT")
      ->group(kGroup);
}

void add_output_options(CLI::App& command, OutputOptions& options) {
  add_by_option(command, options);
  const auto add_limit = [&](const char* name, std::size_t& limit, const char* help) {
    command.add_option(name, limit, help)
        ->check(number_from(0, 10'000'000))
        ->type_name("N")
        ->capture_default_str()
        ->group(kGroup);
  };
  add_limit("--max-processes", options.max_processes,
            "List at most N ended processes; sum those that moved the fewest bytes");
  add_limit("--max-files", options.channels.files,
            "With --by file, list at most N files in --json and --csv; add up the others");
  add_limit("--max-peers", options.channels.peers,
            "With --by peer, list at most N peers in --json and --csv; add up the others");
  add_file_options(command, options);
  add_html_option(command, options);
}

namespace {

void add_file(CLI::App& command, const char* name, std::string& file, const char* help) {
  command.add_option(name, file, help)->check(file_name())->type_name("FILE")->group(kGroup);
}

void add_quiet(CLI::App& command, OutputOptions& options) {
  command.add_flag("-q,--quiet", options.quiet, "Do not print the table")->group(kGroup);
}

constexpr const char* kMarkdownHelp = "Write the table as Markdown; '-' is standard output";

}  // namespace

void add_json_and_markdown_options(CLI::App& command, OutputOptions& options) {
  add_file(command, "--json", options.json, "Write it as JSON; '-' is standard output");
  add_file(command, "--markdown", options.markdown, kMarkdownHelp);
  add_quiet(command, options);
}

void add_html_option(CLI::App& command, OutputOptions& options) {
  add_file(command, "--html", options.html,
           "Write the report as a page for a browser; '-' is standard output");
}

void add_file_options(CLI::App& command, OutputOptions& options) {
  add_file(command, "--json", options.json, "Write the report as JSON; '-' is standard output");
  add_file(command, "--csv", options.csv, "Write the rows as CSV; '-' is standard output");
  add_file(command, "--markdown", options.markdown, kMarkdownHelp);
  add_quiet(command, options);
  command.add_flag("--strict", options.strict, "Exit with status 3 if an event was lost")
      ->group(kGroup);
}

void add_stack_options(CLI::App& command, OutputOptions& options) {
  add_file(command, "--stacks", options.stacks,
           "Sample from where in the programs bytes are moved, and write it as JSON; as folded "
           "stacks for a flame graph if FILE ends in .folded; '-' is standard output");
  command
      .add_option("--stacks-every", options.stacks_every,
                  "With --stacks, take one stack for each SIZE moved (4K to 1G; default: 1M)")
      ->check(size_in_bytes())
      ->type_name("SIZE")
      ->group(kGroup);
}

std::optional<GroupBy> group_by(const OutputOptions& options) { return parse_group_by(options.by); }

}  // namespace zctrace
