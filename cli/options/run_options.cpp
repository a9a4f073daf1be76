// SPDX-License-Identifier: MIT
// The options of `run`, in the order of its help.
#include "cli/options/run_options.h"

#include "cli/options/help_formatter.h"
#include "cli/options/validators.h"
#include "cli/options/when_options.h"
#include "collector/os/error.h"

namespace zctrace {

void add_run_options(CLI::App& command, RunOptions& options) {
  constexpr const char* kGroup = "The command";
  add_end_option(command, options.duration, "Stop observing, but not COMMAND,");
  add_interval_option(command, options.interval);
  add_count_options(command, options.count);
  add_verify_option(command, options.count);
  add_profile_option(command, options.count.profile);
  command
      .add_flag("--as-root", options.as_root,
                "Under sudo: run the command as root (default: as the user who called sudo)")
      ->group(kGroup);
  command
      .add_flag("--wait", options.wait_all,
                "Report when the last descendant has ended (default: when the command has)")
      ->group(kGroup);
  command
      .add_option("--mount", options.mount,
                  "Show DIR to the command through a counting FUSE file system (root only)")
      ->check(offers({"@directory"}))
      ->type_name("DIR")
      ->group(kGroup);
  add_advice_options(command, options.count.advice);
  add_output_options(command, options.output);
  add_stack_options(command, options.output);
  command
      .add_flag("--json-schema", options.json_schema, "Print the JSON Schema of --json and exit")
      ->group("Output");
  add_record_options(command, options.record);
  set_help(
      command,
      {"[OPTIONS] -- COMMAND [ARGUMENT...]",
       {"Observes COMMAND and all its descendants from the first instruction, and prints the "
        "report to standard error when COMMAND has ended. Ctrl-C goes to COMMAND.",
        "With -d, it prints the report after TIME, and waits for COMMAND without observing it. "
        "With -i, it prints a report for each interval; with --record, -i is the interval of "
        "the recording, and there is one report.",
        "Observing adds a fraction of a second at the start and about 0.3 us to each syscall, "
        "half of that with --timing none; docs/cost.md has the measurements.",
        "Under sudo, COMMAND runs as the user who called sudo. If it then fails with "
        "EPERM or EACCES (\"Permission denied\"), use --as-root."},
       {{"Exit status",
         {{"N", "The status of COMMAND; 128+N if signal N ended it"},
          {"1", "zctrace failed"},
          {"2", "Usage error"},
          {"3", "Events were lost, or --verify-counts found a difference (with --strict)"},
          {"77", "This machine or user cannot observe; 'zctrace doctor' says why"},
          {"126, 127", "COMMAND cannot be executed, or is not found"}}}},
       {{"Count how cp moves the bytes of a file", "sudo zctrace run -- cp big copy"},
        {"List each process of a pipeline, and write a report for scripts",
         "sudo zctrace run --by process --json report.json -- sh -c 'cat big | wc'"},
        {"Give each syscall a row of its own", "sudo zctrace run -e %all -- ls"}}});
}

void check_run_options(const RunOptions& options) {
  check_syscalls(options.count);
  if (!options.mount.empty() && is_by_channel(group_by(options.output)))
    throw Error("--by " + options.output.by + " and --mount cannot be combined: both list files",
                kExitUsage);
  if (!options.mount.empty() && !options.record.file.empty())
    throw Error("--record and --mount cannot be combined: a recording has no requests", kExitUsage);
  if (!options.mount.empty() && (options.interval || options.duration))
    throw Error("-i and -d cannot be combined with --mount", kExitUsage);
}

}  // namespace zctrace
