// SPDX-License-Identifier: MIT
// Observes running processes: a session, and the targets that it follows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collector/model/report.h"
#include "collector/observe/duty/duty_cycle.h"
#include "collector/observe/owner.h"
#include "collector/observe/report_clock.h"
#include "collector/observe/session.h"
#include "collector/observe/targets.h"
#include "collector/os/capabilities.h"
#include "collector/os/event_loop.h"

namespace zctrace {

struct AttachSessionOptions {
  SessionOptions session;  // the targets decide which new tasks its probes look for
  Targets targets;
  bool wait = false;    // for a process with one of the names
  double duty = 0;      // observe slices that are this share of the time; 0: all of it
  bool owners = false;  // report() says what each process belongs to
  // What the caller itself will need after drop_privileges().
  Privilege kept = Privilege::none;
};

// Owns the session. What the targets did before is not counted. They are not stopped, signalled or
// otherwise disturbed. One thread at a time.
class AttachSession {
 public:
  // Finds and attaches to every target. Throws Error: no such process, cgroup or unit, no process
  // with that name (unless told to wait), and whatever Session throws.
  explicit AttachSession(const AttachSessionOptions& options);

  // Drops what attaching needed: all capabilities but CAP_SYS_PTRACE, and that too unless names or
  // a /proc that hides processes need it. Throws Error.
  void drop_privileges() const;

  // Looks for new targets and reads the counts. Call it again after poll_interval().
  void poll();
  std::chrono::milliseconds poll_interval() const { return session_.poll_interval(); }
  // Opens and closes slices in `loop`, if options ask for them. poll_in() does so, too.
  void slice_in(EventLoop& loop);
  // The time that the counts are of; nullopt: until now. It grows when a slice ends.
  std::optional<std::chrono::nanoseconds> covered() const;
  // Polls in `loop`, and stops it when the last target has ended.
  void poll_in(EventLoop& loop);
  // How many tasks existed when they were attached to, of all that were ever observed.
  std::uint64_t tasks_attached() const { return tasks_attached_; }
  // Whether everything that was named has ended and cannot come back.
  bool ended() const;

  // Compares the counts with the kernel's own if options ask for that, then ends the counting.
  void finish();

  // After finish(): from where bytes were moved. nullptr: not asked for.
  const StackProfile* stacks() { return session_.stacks(); }

  // Everything since the start. Processes that have ended are in it until take_interval().
  Report report();
  // What happened since the latest interval, or since the start. Processes that have ended are in
  // no later report. Before finish() it polls first.
  Report take_interval();
  // The same, but processes that have ended stay in report().
  Report next_interval();
  // The current counts, with the processes of Session::take_processes() and without times.
  Report take_counts();
  // Makes a report of such counts, or of some of them, complete: what was observed, where, since
  // when, and the peak RSS of the processes that it lists.
  void describe(Report& report);
  // As Session::cost().
  CostReading cost() const { return session_.cost(); }

 private:
  void follow_cgroups();
  void follow_owners();
  void attach();
  void require_observed(pid_t pid) const;
  Report counts(std::vector<Process> processes) const;
  void set_circumstances(Report& report) const;
  std::vector<Process> estimates();

  AttachSessionOptions options_;
  TargetFinder finder_;
  std::vector<Cgroup> cgroups_;  // in the order of NewTasks::cgroups
  Session session_;
  std::optional<DutyCycle> duty_;
  OwnerCache owners_;
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
