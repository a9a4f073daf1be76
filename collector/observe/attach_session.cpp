// SPDX-License-Identifier: MIT
// Resolves targets at the start, and again for those that come later.
#include "collector/observe/attach_session.h"

#include <algorithm>
#include <utility>

#include "collector/observe/machine/host.h"
#include "collector/os/capabilities.h"
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

SessionOptions session_options(const AttachSessionOptions& options, const TargetFinder& finder,
                               const std::vector<Cgroup>& cgroups) {
  SessionOptions session = options.session;
  session.probes.sliced = options.duty != 0;
  NewTasks& wanted = session.probes.new_tasks;
  wanted.all = options.targets.all;
  wanted.names = options.targets.names;
  for (const pid_t pid : options.targets.pids) finder.require_process(pid, wanted.user);
  for (const Cgroup& cgroup : cgroups) wanted.cgroups.push_back(cgroup.id);
  if (!options.targets.names.empty() && !options.wait &&
      finder.processes_named(options.targets.names).empty())
    throw Error("no process named '" + options.targets.names.front() +
                "'; use --wait to wait for one");
  return session;
}

}  // namespace

AttachSession::AttachSession(const AttachSessionOptions& options)
    : options_(options),
      cgroups_(find_cgroups(options.targets, finder_)),
      session_(session_options(options, finder_, cgroups_)),
      unattached_(options.targets.pids) {
  attach();
  poll();
  if (options_.duty != 0) duty_.emplace(session_, options_.duty, options_.session.max_ended);
  for (const pid_t pid : options_.targets.pids) require_observed(pid);
  follow_owners();
  clock_.restart();
  interval_clock_.restart();
}

void AttachSession::drop_privileges() const {
  const bool needed = !options_.targets.names.empty() || finder_.proc_hides_processes();
  drop_capabilities(options_.kept | (needed ? Privilege::find_executables : Privilege::none));
  forbid_new_privileges();
}

// A process that is not observed has ended, or the kernel has no memory for its state, or the
// kernel's task iterator does not return it. Some virtual machines hide process 1 from the
// iterator.
void AttachSession::require_observed(pid_t pid) const {
  if (session_.observed(pid)) return;
  const std::string process = "process " + std::to_string(pid);
  if (session_.completeness().unfollowed_tasks != 0)
    throw Error("cannot observe " + process + ": the kernel has no memory for its state");
  if (finder_.is_running(pid))
    throw Error("cannot observe " + process +
                ": it is running, but this kernel does not show it to BPF programs");
  throw Error("cannot observe " + process + ": it has ended");
}

void AttachSession::follow_cgroups() {
  for (std::size_t i = 0; i < cgroups_.size(); i++) {
    const std::uint64_t id = cgroup_id_if_any(cgroups_[i].directory);
    if (id == 0 || id == cgroups_[i].id) continue;
    cgroups_[i].id = id;
    session_.replace_cgroup(i, id);
  }
}

void AttachSession::attach() {
  std::vector<pid_t> pids = std::exchange(unattached_, {});
  if (!options_.targets.names.empty()) {
    const std::vector<pid_t> named = finder_.processes_named(options_.targets.names);
    pids.insert(pids.end(), named.begin(), named.end());
  }
  tasks_attached_ += session_.attach(pids);
}

void AttachSession::poll() {
  follow_cgroups();  // before attach() looks which tasks are in them
  attach();
  // A reading within a slice would cut calls in two.
  if (!duty_ || !duty_->is_open()) session_.poll();
  next_poll_ = EventLoop::after(poll_interval());
}

// While they run: /proc says nothing of a process that has ended.
void AttachSession::follow_owners() {
  if (options_.owners)
    owners_.update(duty_ ? duty_->estimates().processes() : session_.identities());
}

void AttachSession::slice_in(EventLoop& loop) {
  if (duty_) loop.repeat(duty_->first(), [this] { return duty_->step(); });
}

std::optional<std::chrono::nanoseconds> AttachSession::covered() const {
  if (!duty_) return std::nullopt;
  return std::chrono::nanoseconds(duty_->estimates().covered_ns());
}

// Does not poll if an interval has just done so.
void AttachSession::poll_in(EventLoop& loop) {
  slice_in(loop);
  loop.repeat(poll_interval(), [this, &loop] {
    if (EventLoop::Clock::now() >= next_poll_) {
      poll();
      follow_owners();
    }
    if (ended()) loop.stop();
    return next_poll_ - EventLoop::Clock::now();
  });
}

bool AttachSession::ended() const {
  if (session_.running() != 0 || options_.targets.all) return false;
  if (options_.wait && !session_.has_observed_any()) return false;
  // New processes may enter a cgroup that still exists.
  return std::none_of(cgroups_.begin(), cgroups_.end(),
                      [](const Cgroup& cgroup) { return cgroup_id_if_any(cgroup.directory) != 0; });
}

void AttachSession::finish() {
  if (duty_) duty_->finish();
  poll();
  if (options_.session.probes.verify) verification_ = session_.verify();
  // Reading the last counts may take a while on a busy machine. The report does not cover that.
  clock_.stop();
  interval_clock_.stop();
  session_.stop();
  if (duty_) duty_->estimates().update(session_.take_processes());
  finished_ = true;
}

Report AttachSession::counts(std::vector<Process> processes) const {
  Report report;
  report.latency = session_.latency();
  report.adaptive = session_.adaptive();
  report.unknown = session_.unknown();
  report.selection = session_.selection();
  report.processes = std::move(processes);
  report.others = duty_ ? duty_->estimates().others() : session_.others();
  if (duty_) {
    report.duty = duty_->estimates().duty();
    for (const char* row : {"aio:read", "aio:write"})
      report.unknown[row] =
          "not counted with --duty, because results stay in memory of the process until it looks";
    for (const char* figure :
         {"wall_ns", "off_cpu_ns", "latency_ns", "disk_read_bytes", "dirtied_bytes"})
      report.unknown[figure] =
          "not measured with --duty, because a call may be longer than a slice";
  }
  session_.add_channels(report);
  report.completeness = session_.completeness();
  report.completeness.verification = verification_;
  return report;
}

void AttachSession::set_circumstances(Report& report) const {
  report.command = "attach";
  report.host = this_host();
  report.argv = own_command_line();
  report.targets = description(options_.targets);
  clock_.stamp(report);
  if (duty_) report.duration_ns = duty_->estimates().covered_ns();
}

std::vector<Process> AttachSession::estimates() {
  std::vector<Process> processes = duty_->estimates().processes();
  session_.read_peak_memory(processes);
  return processes;
}

Report AttachSession::report() {
  Report report = counts(duty_ ? estimates() : session_.processes());
  set_circumstances(report);
  if (!options_.owners) return report;
  owners_.update(report.processes);
  for (Process& process : report.processes) process.owner = owners_.of(process);
  return report;
}

void AttachSession::describe(Report& report) {
  set_circumstances(report);
  session_.read_peak_memory(report.processes);
}

Report AttachSession::take_interval() {
  Report interval = next_interval();
  // They are in this report.
  if (duty_)
    duty_->estimates().forget_ended();
  else
    session_.forget_ended();
  return interval;
}

Report AttachSession::next_interval() {
  if (!finished_) poll();
  Report standing = report();
  Report between = difference(standing, last_);
  interval_clock_.stamp(between);
  if (duty_) between.duration_ns = standing.duration_ns - last_.duration_ns;
  last_ = std::move(standing);
  if (!finished_) interval_clock_.restart();
  return between;
}

Report AttachSession::take_counts() {
  if (!duty_) return counts(session_.take_processes());
  Report report = counts(duty_->estimates().processes());
  duty_->estimates().forget_ended();
  return report;
}

}  // namespace zctrace
