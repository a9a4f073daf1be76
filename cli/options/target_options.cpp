// SPDX-License-Identifier: MIT
// Parsing lists of pids.
#include "cli/options/target_options.h"

#include <charconv>

#include "collector/os/error.h"

namespace zctrace {

void add_target_options(CLI::App& command, TargetOptions& options) {
  constexpr const char* kGroup = "Targets";
  command.add_option("-p,--pid", options.pids, "Observe these processes")
      ->type_name("PID[,PID...]")
      ->group(kGroup);
  command
      .add_option("-n,--name", options.targets.names,
                  "Observe the processes whose name (comm) or executable matches GLOB, also "
                  "those that start later")
      ->type_name("GLOB")
      ->group(kGroup);
  command
      .add_option("-G,--cgroup", options.targets.cgroups,
                  "Observe the processes of a cgroup (v2) and of the cgroups below it")
      ->type_name("PATH")
      ->group(kGroup);
  command.add_option("--unit", options.targets.units, "Observe the processes of a systemd unit")
      ->type_name("NAME.service")
      ->group(kGroup);
  command.add_flag("-a,--all", options.targets.all, "Observe every process except zctrace")
      ->group(kGroup);
  command.add_flag("--wait", options.wait, "With -n: wait until a process matches")->group(kGroup);
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
        throw Error("invalid PID '" + word + "'", kExitUsage);
      targets.pids.push_back(pid);
      begin = end + 1;
    }
  if (required && targets.empty())
    throw Error("no target: give -p PID, -n GLOB, -G CGROUP, --unit NAME or -a", kExitUsage);
  return targets;
}

}  // namespace zctrace
