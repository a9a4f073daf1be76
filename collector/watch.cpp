// Resolving targets once, and again for those who come later.
#include "collector/watch.h"

#include <algorithm>

#include "collector/error.h"

namespace zctrace {
namespace {

SessionOptions session_options(const WatchOptions& options, const TargetFinder& finder) {
  SessionOptions session = options.session;
  Newcomers& newcomers = session.probes.newcomers;
  newcomers.all = options.targets.all;
  newcomers.names = options.targets.names;
  for (const pid_t pid : options.targets.pids) finder.require_process(pid);
  for (const std::string& path : options.targets.cgroups)
    newcomers.cgroups.push_back(cgroup_id(finder.cgroup_directory(path)));
  for (const std::string& unit : options.targets.units)
    for (const auto& directory : finder.unit_directories(unit))
      newcomers.cgroups.push_back(cgroup_id(directory));
  if (!options.targets.names.empty() && !options.wait &&
      finder.processes_named(options.targets.names).empty())
    throw Error("no process named '" + options.targets.names.front() +
                "'; --wait waits until there is one");
  return session;
}

}  // namespace

Watch::Watch(const WatchOptions& options)
    : options_(options), session_(session_options(options, finder_)), unattached_(options.targets.pids) {
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

void Watch::attach() {
  std::vector<pid_t> pids = std::exchange(unattached_, {});
  if (!options_.targets.names.empty()) {
    const std::vector<pid_t> named = finder_.processes_named(options_.targets.names);
    pids.insert(pids.end(), named.begin(), named.end());
  }
  tasks_attached_ += session_.attach(pids);
}

void Watch::poll() {
  attach();
  session_.poll();
}

bool Watch::ended() const {
  return session_.running() == 0 && !options_.targets.open_ended() &&
         !(options_.wait && !session_.has_observed_any());
}

Report Watch::report_of(std::vector<Process> processes) const {
  Report report;
  report.latency = session_.latency();
  report.processes = std::move(processes);
  report.others = session_.others();
  report.completeness = session_.completeness();
  return report;
}

Report Watch::report() const { return report_of(session_.processes()); }

Report Watch::take_report() { return report_of(session_.take_processes()); }

}  // namespace zctrace
