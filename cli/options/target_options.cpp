// SPDX-License-Identifier: MIT
// Parsing lists of pids.
#include "cli/options/target_options.h"

#include <charconv>

namespace zctrace {

void add_target_options(CLI::App& command, TargetOptions& options) {
  command.add_option("-p,--pid", options.pids, "Processes by number, with commas")
      ->type_name("PID[,PID...]");
  command
      .add_option("-n,--name", options.targets.names,
                  "Processes by name: a glob of comm or of the executable's base name, also of "
                  "processes that start later")
      ->type_name("GLOB");
  command
      .add_option("-G,--cgroup", options.targets.cgroups,
                  "Processes of a cgroup (v2) and of those below it")
      ->type_name("PATH");
  command.add_option("--unit", options.targets.units, "Processes of a systemd unit")
      ->type_name("NAME.service");
  command.add_flag("-a,--all", options.targets.all, "Every process but zctrace");
  command.add_flag("--wait", options.wait, "With -n: wait until there is such a process");
}

Targets parse_targets(const TargetOptions& options, bool required) {
  Targets targets = options.targets;
  for (const std::string& list : options.pids)
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = std::min(list.find(',', begin), list.size());
      const std::string word = list.substr(begin, end - begin);
      pid_t pid = 0;
      const auto parsed = std::from_chars(word.data(), word.data() + word.size(), pid);
      if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() || pid <= 0)
        throw CLI::ValidationError("-p", "'" + word + "' is no process number");
      targets.pids.push_back(pid);
      begin = end + 1;
    }
  if (required && targets.empty())
    throw CLI::ValidationError("target", "nobody to observe: give -p, -n, -G, --unit or -a");
  return targets;
}

}  // namespace zctrace
