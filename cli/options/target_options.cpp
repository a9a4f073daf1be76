// SPDX-License-Identifier: MIT
// Parses lists of PIDs.
#include "cli/options/target_options.h"

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options/validators.h"
#include "collector/os/error.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

// An option that may be repeated and takes several values, as in `-p 1 2`. CLI11 gives such options
// extra arguments, but then takes a value in brackets for a list: '[ab]*' is fine, '[ab]' is not.
// With a number of arguments instead, it leaves values as they are.
CLI::Option* add_list_option(CLI::App& command, const std::string& names,
                             std::vector<std::string>& values, const std::string& description) {
  constexpr int kMost = 100'000;
  return command.add_option(names, values, description)
      ->expected(1, kMost)
      ->allow_extra_args(false);
}

}  // namespace

void add_target_options(CLI::App& command, TargetOptions& options) {
  constexpr const char* kGroup = "Targets";
  add_list_option(command, "-p,--pid", options.pids, "Observe these processes")
      ->check(offers({",", "@pid"}))
      ->type_name("PID[,PID...]")
      ->group(kGroup);
  add_list_option(command, "-n,--name", options.targets.names,
                  "Observe processes whose name (comm) or executable matches GLOB (* and ?), "
                  "including those that start later")
      ->check(offers({"@process"}))
      ->type_name("GLOB")
      ->group(kGroup);
  add_list_option(command, "-G,--cgroup", options.targets.cgroups,
                  "Observe the processes of a cgroup (v2) and of the cgroups below it")
      ->check(offers({"@cgroup"}))
      ->type_name("PATH")
      ->group(kGroup);
  add_list_option(command, "--unit", options.targets.units,
                  "Observe the processes of a systemd unit")
      ->check(offers({"@unit"}))
      ->type_name("NAME.service")
      ->group(kGroup);
  command.add_flag("-a,--all", options.targets.all, "Observe every process except zctrace")
      ->group(kGroup);
  command.add_flag("--wait", options.wait, "With -n: wait until a process matches")->group(kGroup);
}

Targets parse_targets(const TargetOptions& options, bool required) {
  Targets targets = options.targets;
  for (const std::string& list : options.pids)
    for (const std::string_view word : split(list, ',')) {
      pid_t pid = 0;
      const auto parsed = std::from_chars(word.data(), word.data() + word.size(), pid);
      if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() || pid <= 0)
        throw Error("invalid PID '" + std::string(word) + "'", kExitUsage);
      targets.pids.push_back(pid);
    }
  if (required && targets.empty())
    throw Error("no target: give -p PID, -n GLOB, -G CGROUP, --unit NAME or -a", kExitUsage);
  return targets;
}

AttachSessionOptions attach_options(const TargetOptions& options, const Targets& targets,
                                    const SessionOptions& session) {
  AttachSessionOptions observing;
  observing.session = session;
  observing.targets = targets;
  observing.wait = options.wait;
  return observing;
}

}  // namespace zctrace
