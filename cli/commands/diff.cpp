// SPDX-License-Identifier: MIT
// `zctrace diff A B`: two saved reports, or several of each, against each other.
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/diff/condition.h"
#include "cli/diff/difference_of_reports.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/options/validators.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/recording/report_files.h"
#include "cli/views/diff/diff_view.h"
#include "cli/views/json_schema.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

struct DiffOptions {
  std::string a;
  std::string b;
  std::vector<std::string> fail_if;
  OutputOptions output;
  bool all = false;
  bool json_schema = false;
};

int diff(const DiffOptions& options) {
  if (options.json_schema) {
    write_all(STDOUT_FILENO, std::string(diff_json_schema()), "to standard output");
    return kExitDone;
  }
  if (options.a.empty() || options.b.empty())
    throw Error("give two reports to compare: A B", kExitUsage);
  std::vector<Condition> conditions;
  for (const std::string& text : options.fail_if) conditions.push_back(parse_condition(text));
  const ReportDiff found = diff_of(side_of(read_side(options.a)), side_of(read_side(options.b)));
  for (const Condition& condition : conditions) check_condition(condition, found);
  std::vector<std::string> failed;
  std::vector<std::string> why;
  for (const Condition& condition : conditions) {
    const auto reason = why_failed(condition, found);
    if (!reason) continue;
    failed.push_back(condition.text);
    why.push_back(*reason);
  }
  Outputs outputs(options.output, STDOUT_FILENO);
  outputs.write({[&] { return diff_table(found, options.all, outputs.style()); },
                 [&] { return diff_json(found, failed).dump(2) + "\n"; }, nullptr,
                 [&] { return diff_markdown(found, options.all); }});
  for (const std::string& reason : why) say("failed: " + reason);
  return failed.empty() ? kExitDone : kExitFailIf;
}

}  // namespace

void add_diff_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* command = app.add_subcommand("diff", "Show what changed between saved reports");
  const auto add_side = [&](const char* name, std::string& side, const char* help) {
    command->add_option(name, side, help)
        ->check(offers({",", "@file"}))
        ->type_name(name)
        ->group("Arguments");
  };
  add_side("A", options->a, "The report before, or several of the same: A1,A2,A3");
  add_side("B", options->b, "The report after, or several");
  command
      ->add_option(
          "--fail-if", options->fail_if,
          "Exit with status 4 if this holds, e.g. 'cpu_copies_per_byte>+5%' (a change) or "
          "'process nginx: zero_copy_share<90%' (a value of B); may be given several times")
      ->type_name("CONDITION")
      ->allow_extra_args(false)  // what follows one are the reports
      ->group("What to compare");
  command->add_flag("--all", options->all, "List every figure that differs")
      ->group("What to compare");
  add_json_and_markdown_options(*command, options->output);
  command
      ->add_flag("--json-schema", options->json_schema, "Print the JSON Schema of --json and exit")
      ->group("Output");
  set_help(
      *command,
      {"[OPTIONS] A B",
       {"Compares the figures of two reports that --json saved: of all processes, of processes "
        "by name, of rows, files, peers, ports and methods. With three or more of each it tells "
        "changes from chance. Needs neither root nor BPF."},
       {{"Exit status",
         {{"0", "Success"},
          {"1", "A file is not a report that this version can read"},
          {"2", "Usage error"},
          {"4", "A condition of --fail-if holds"}}}},
       {{"See what a new configuration changed", "zctrace diff before.json after.json"},
        {"Let a pipeline fail if bytes are copied more often",
         "zctrace diff --fail-if 'cpu_copies_per_byte>+5%' before.json after.json"},
        {"Compare runs that were repeated",
         "zctrace diff a1.json,a2.json,a3.json b1.json,b2.json,b3.json"}}});
  command->callback([options, &chosen] { chosen = [options] { return diff(*options); }; });
}

}  // namespace zctrace
