// SPDX-License-Identifier: MIT
// The options of `fuse`, and what they stand for.
#include "cli/options/fuse_options.h"

#include "cli/options/count_options.h"
#include "cli/options/validators.h"
#include "cli/options/when_options.h"

namespace zctrace {

void add_fuse_options(CLI::App& command, FuseOptions& options) {
  command
      .add_option("mount", options.mount,
                  "Watch only the FUSE or virtiofs mount that this path is in (default: all)")
      ->type_name("MOUNT")
      ->group("Arguments");
  add_end_option(command, options.duration);
  add_interval_option(command, options.interval);
  command
      .add_flag("--live", options.live,
                "Show the latest interval on the whole screen, updated every second or every TIME "
                "of -i; q quits")
      ->group("Output");
  command
      .add_option("--max-processes", options.max_processes,
                  "List at most N ended processes of each mount; sum those that sent the fewest "
                  "requests")
      ->check(number_from(0, 10'000'000))
      ->type_name("N")
      ->capture_default_str()
      ->group("Output");
  add_file_options(command, options.output);
  command
      .add_flag("--json-schema", options.json_schema, "Print the JSON Schema of --json and exit")
      ->group("Output");
  command.add_option("--room", options.room)->group("");
}

fusewatch::FuseWatchOptions fuse_watch_options(const FuseOptions& options) {
  fusewatch::FuseWatchOptions watching;
  if (!options.mount.empty()) watching.mount = options.mount;
  watching.most_ended = options.max_processes;
  for (const std::string& room : options.room) watching.room.insert(parse_room(room));
  return watching;
}

}  // namespace zctrace
