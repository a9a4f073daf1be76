// SPDX-License-Identifier: MIT
// The options of `run`, in the order of its help.
#include "cli/options/run_options.h"

#include "cli/options/validators.h"

namespace zctrace {

void add_run_options(CLI::App& command, RunOptions& options) {
  constexpr const char* kGroup = "The command";
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
  add_output_options(command, options.output);
  command
      .add_flag("--json-schema", options.json_schema, "Print the JSON Schema of --json and exit")
      ->group("Output");
}

}  // namespace zctrace
