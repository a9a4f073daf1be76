// SPDX-License-Identifier: MIT
// A command that is observed from its first instruction.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collector/model/report.h"
#include "collector/observe/report_clock.h"
#include "collector/observe/session.h"
#include "collector/os/caller.h"
#include "collector/os/capabilities.h"
#include "collector/os/event_loop.h"
#include "collector/os/gated_child.h"
#include "collector/os/signals.h"

namespace zctrace {

// Something that runs beside the command, such as a file system that it sees. ObservedRun calls
// each of these once, in this order.
class RunCompanion {
 public:
  virtual ~RunCompanion() = default;
  // In the forked child, before it becomes the command. Makes only system calls. Returns an errno.
  virtual int enter() const noexcept = 0;
  // The probes are loaded; the command is not observed yet. Throws Error.
  virtual void serve(Session& session) = 0;
  // Right before the command starts.
  virtual void command_starts() = 0;
  // The command has ended. When this returns, the companion counts nothing more.
  virtual void command_ended() = 0;
  // Adds what the companion counted to the complete report.
  virtual void add_to(Report& report, const Session& session) = 0;
};

struct ObservedRunOptions {
  std::vector<std::string> argv;
  std::optional<Caller> caller;  // the user that runs the command; nullopt: zctrace's own user
  SessionOptions session;
  bool wait_for_descendants = false;
  // How long to observe. Not with a companion.
  std::optional<std::chrono::nanoseconds> duration;
  RunCompanion* companion = nullptr;
  // What the caller itself will need after the command has started.
  Privilege kept = Privilege::none;
  // Called with what happened in each `interval`, at last in the rest of one. Not with a companion.
  std::function<void(const Report&)> on_interval;
  std::chrono::nanoseconds interval{};
};

// Owns the command and the session. The order is: fork (first, because the kernel counts zctrace's
// memory at that moment in the command's peak RSS), load, serve, observe, drop capabilities,
// release. One thread.
class ObservedRun {
 public:
  // Everything but the release. Throws Error.
  ObservedRun(Signals& signals, const ObservedRunOptions& options);

  // Lets the command run. Returns when the command has ended, when the duration has passed, or some
  // time after a signal asked zctrace to end. nullopt: the signal came before the command started,
  // so it never starts. Passes signals that another process sends on to the command. Throws Error:
  // 126 or 127 when the command cannot be executed.
  std::optional<Report> run();

  // After run(): from where bytes were moved. nullptr: not asked for.
  const StackProfile* stacks() { return session_.stacks(); }

  // After run(), if the duration has passed: waits for the command as run() does, but does not
  // observe it any more.
  void wait_unobserved();
  bool outlived() const { return outlived_; }  // the duration

  pid_t pid() const { return child_.pid(); }
  // Whether the command still runs, no longer observed.
  bool left_running() const { return left_running_; }
  // The command's own status; 128+N if signal N ended it, or asked zctrace to end.
  int exit_status() const { return exit_status_; }

 private:
  void watch_command();
  void stop_at_its_end(EventLoop& loop);
  void watch_descendants();
  int wait_for_command();
  void add_counts(Report& report);
  void take_intervals_in(EventLoop& loop);
  void take_interval(Report standing);

  ObservedRunOptions options_;
  Signals& signals_;
  GatedChild child_;
  Session session_;
  Report head_;  // what is known before the command starts
  Report last_;  // at the end of the latest interval
  ReportClock interval_clock_;
  bool left_running_ = false;
  bool outlived_ = false;
  int exit_status_ = 0;
};

}  // namespace zctrace
