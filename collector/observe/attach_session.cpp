// SPDX-License-Identifier: MIT
// Resolving targets once, and again for those who come later.
#include "collector/observe/attach_session.h"

#include <algorithm>

#include "collector/os/error.h"

namespace zctrace {
namespace {

std::vector<Cgroup> find_cgroups(const Targets& targets, const TargetFinder& finder) {
  finder.require_own_proc();
  std::vector<Cgroup> cgroups;
  const auto add = [&cgroups](const std::filesystem::path& directory) {
    cgroups.push_back({directory, cgroup_id(directory)});
  };
  for (const std::string& path : targets.cgroups) add(finder.cgroup_directory(path));
  for (const std::string& unit : targets.units)
    for (const auto& directory : finder.unit_directories(unit)) add(directory);
  return cgroups;
}

SessionOptions session_options(const WatchOptions& options, const TargetFinder& finder,
                               const std::vector<Cgroup>& cgroups) {
  SessionOptions session = options.session;
  Newcomers& newcomers = session.probes.newcomers;
  newcomers.all = options.targets.all;
  newcomers.names = options.targets.names;
  for (const pid_t pid : options.targets.pids) finder.require_process(pid);
  for (const Cgroup& cgroup : cgroups) newcomers.cgroups.push_back(cgroup.id);
  if (!options.targets.names.empty() && !options.wait &&
      finder.processes_named(options.targets.names).empty())
    throw Error("no process named '" + options.targets.names.front() +
                "'; --wait waits until there is one");
  return session;
}

}  // namespace

Watch::Watch(const WatchOptions& options)
    : options_(options),
      cgroups_(find_cgroups(options.targets, finder_)),
      session_(session_options(options, finder_, cgroups_)),
      unattached_(options.targets.pids) {
  attach();
  poll();
  for (const pid_t pid : options_.targets.pids) {
    if (session_.observed(pid)) continue;
    const std::string process = "process " + std::to_string(pid);
    throw Error(session_.completeness().unfollowed_tasks == 0
                    ? process + " ended before it could be observed"
                    : "cannot observe " + process + ": the kernel has no room for its state");
  }
}

void Watch::follow_cgroups() {
  for (std::size_t i = 0; i < cgroups_.size(); i++) {
    const std::uint64_t id = cgroup_id_if_any(cgroups_[i].directory);
    if (id == 0 || id == cgroups_[i].id) continue;
    cgroups_[i].id = id;
    session_.replace_cgroup(i, id);
  }
}

void Watch::attach() {
  std::vector<pid_t> pids = std::exchange(unattached_, {});
  if (!options_.targets.names.empty()) {
    const std::vector<pid_t> named = finder_.processes_named(options_.targets.names);
    pids.insert(pids.end(), named.begin(), named.end());
  }
  tasks_attached_ += session_.attach(pids);
}

void Watch::poll() {
  follow_cgroups();  // before attach() looks who is in them
  attach();
  session_.poll();
}

bool Watch::ended() const {
  if (session_.running() != 0 || options_.targets.all) return false;
  if (options_.wait && !session_.has_observed_any()) return false;
  // One that is there may fill again.
  return std::none_of(cgroups_.begin(), cgroups_.end(),
                      [](const Cgroup& cgroup) { return cgroup_id_if_any(cgroup.directory) != 0; });
}

Report Watch::report_of(std::vector<Process> processes) const {
  Report report;
  report.latency = session_.latency();
  report.selection = session_.selection();
  report.processes = std::move(processes);
  report.others = session_.others();
  report.completeness = session_.completeness();
  return report;
}

Report Watch::report() const { return report_of(session_.processes()); }

Report Watch::take_report() { return report_of(session_.take_processes()); }

}  // namespace zctrace
