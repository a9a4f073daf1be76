// SPDX-License-Identifier: MIT
// Observing running processes: a session, and the targets that it is kept pointed at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collector/model/report.h"
#include "collector/observe/report_clock.h"
#include "collector/observe/session.h"
#include "collector/observe/targets.h"
#include "collector/os/event_loop.h"

namespace zctrace {

struct AttachSessionOptions {
  SessionOptions session;  // the targets decide which new tasks its probes look for
  Targets targets;
  bool wait = false;  // for a name that no process has yet
};

// Owns the session. What the targets did before is not counted; they are not stopped, signalled
// or otherwise disturbed. One thread at a time.
class AttachSession {
 public:
  // Finds and attaches to every target. Throws Error: no such process, cgroup or unit, no process
  // of that name (unless told to wait), and what Session throws.
  explicit AttachSession(const AttachSessionOptions& options);

  // Looks for new targets and reads the counts. Call it again after poll_interval().
  void poll();
  std::chrono::milliseconds poll_interval() const { return session_.poll_interval(); }
  // Polls in `loop`, and stops it when the last target has ended.
  void poll_in(EventLoop& loop);
  // How many tasks were there already, of all that were ever observed.
  std::uint64_t tasks_attached() const { return tasks_attached_; }
  // Whether everything that was named has ended and cannot come back.
  bool ended() const;

  // Ends the counting, after comparing the counts with the kernel's own if that was asked for.
  void finish();

  // Everything since the attach; processes that ended are in it until an interval was taken.
  Report report() const;
  // What came since the latest interval, or since the attach. Processes that ended are in no later
  // report. Before finish() it reads the counts anew.
  Report take_interval();
  // The counts as they stand, with the processes of Session::take_processes(), and no times.
  Report take_counts();

 private:
  void follow_cgroups();
  void attach();
  void require_observed(pid_t pid) const;
  Report counts(std::vector<Process> processes) const;

  AttachSessionOptions options_;
  TargetFinder finder_;
  std::vector<Cgroup> cgroups_;  // in the order of NewTasks::cgroups
  Session session_;
  std::vector<pid_t> unattached_;
  std::uint64_t tasks_attached_ = 0;
  EventLoop::Clock::time_point next_poll_;
  ReportClock clock_;
  ReportClock interval_clock_;
  Report last_;  // at the latest interval
  bool finished_ = false;
  std::optional<Verification> verification_;
};

}  // namespace zctrace
