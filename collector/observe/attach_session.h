// SPDX-License-Identifier: MIT
// Watching running processes: a session and the targets that it is kept pointed at.
#pragma once

#include <string>
#include <vector>

#include "collector/model/report.h"
#include "collector/observe/session.h"
#include "collector/observe/targets.h"

namespace zctrace {

struct WatchOptions {
  SessionOptions session;  // its probes' newcomers are set from the targets
  Targets targets;
  bool wait = false;  // for a name that nobody has yet
};

// Owns the session. What the targets did before is not counted; they are not stopped, signalled
// or otherwise disturbed. One thread at a time.
class Watch {
 public:
  // Finds and attaches to every target. Throws Error: no such process, cgroup or unit, nobody of
  // that name (unless told to wait), and what Session throws.
  explicit Watch(const WatchOptions& options);

  // Looks for newcomers and reads the counts. Call it again after poll_interval().
  void poll();
  std::chrono::milliseconds poll_interval() const { return session_.poll_interval(); }
  // Tasks that were there already, of all that were ever observed.
  std::uint64_t tasks_attached() const { return tasks_attached_; }
  // Whether all that was named has ended and cannot come back.
  bool ended() const;

  // Compares the counts with the kernel's own; see Session.
  Verification verify() { return session_.verify(); }

  // The last reading; see Session.
  void stop() { session_.stop(); }

  // As they stand; `command`, `argv` and the times are the caller's to fill in.
  Report report() const;
  // Those that ended are in no later report.
  void forget_ended() { session_.forget_ended(); }
  // The same, with the processes of Session::take_processes().
  Report take_report();

 private:
  void follow_cgroups();
  void attach();
  Report report_of(std::vector<Process> processes) const;

  WatchOptions options_;
  TargetFinder finder_;
  std::vector<Cgroup> cgroups_;  // in the order of Newcomers::cgroups
  Session session_;
  std::vector<pid_t> unattached_;
  std::uint64_t tasks_attached_ = 0;
};

}  // namespace zctrace
