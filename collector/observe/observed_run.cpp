// SPDX-License-Identifier: MIT
// The order of a run, from the fork to the last count.
#include "collector/observe/observed_run.h"

#include <chrono>
#include <csignal>

#include "collector/observe/machine/host.h"
#include "collector/observe/report_clock.h"
#include "collector/observe/verify/waited_children.h"
#include "collector/os/capabilities.h"
#include "collector/os/exit_status.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;

// How long the command has to end after a SIGTERM or SIGHUP that zctrace passed on to it.
constexpr milliseconds kTermPatience(2000);
// A task leaves its CPU for the last time a moment after its parent could wait for it.
constexpr milliseconds kGonePatience(2000);
constexpr milliseconds kDescendantsPause(50);

}  // namespace

ObservedRun::ObservedRun(Signals& signals, const ObservedRunOptions& options)
    : options_(options),
      signals_(signals),
      child_(options.argv, options.caller, signals.before(),
             [companion = options.companion] { return companion ? companion->enter() : 0; }),
      session_(options.session) {
  if (options_.companion != nullptr) options_.companion->serve(session_);
  session_.observe_from_exec(child_.pid());
  drop_capabilities(Privilege::signal_command | options_.kept);
}

std::optional<Report> ObservedRun::run() {
  RunCompanion* const companion = options_.companion;
  if (companion != nullptr) companion->command_starts();
  Report report;
  report.command = "run";
  report.host = this_host();
  report.argv = options_.argv;
  report.latency = session_.latency();
  report.adaptive = session_.adaptive();
  report.unknown = session_.unknown();
  report.selection = session_.selection();
  const ReportClock clock;
  if (const Signals::Event event = signals_.take(); event.number != 0) {
    exit_status_ = 128 + event.number;
    return std::nullopt;
  }
  head_ = report;
  interval_clock_.restart();
  child_.release();
  watch_command();
  if (left_running_ || outlived_) {
    session_.poll();
  } else {
    exit_status_ = shell_status(wait_for_command());
    report.exit_code = exit_status_;
    session_.poll_until_gone(child_.pid(), kGonePatience);
    if (options_.wait_for_descendants) watch_descendants();
  }
  clock.stamp(report);
  // The file system counts a request a moment after it has answered it.
  if (companion != nullptr) companion->command_ended();
  if (options_.session.probes.verify) report.completeness.verification = session_.verify();
  if (companion != nullptr || session_.running() != 0) session_.stop();
  add_counts(report);
  if (options_.on_interval) take_interval(report);
  if (companion != nullptr) companion->add_to(report, session_);
  return report;
}

// Keeps a verification that the report has already.
void ObservedRun::add_counts(Report& report) {
  auto verification = std::move(report.completeness.verification);
  report.completeness = session_.completeness();
  report.completeness.verification = std::move(verification);
  report.processes = session_.processes();
  report.others = session_.others();
  session_.add_channels(report);
}

void ObservedRun::take_intervals_in(EventLoop& loop) {
  if (!options_.on_interval) return;
  loop.every(options_.interval, [this] {
    session_.poll();
    Report standing = head_;
    add_counts(standing);
    take_interval(std::move(standing));
  });
}

void ObservedRun::take_interval(Report standing) {
  Report between = difference(standing, last_, true);
  interval_clock_.stamp(between);
  interval_clock_.restart();
  last_ = std::move(standing);
  options_.on_interval(between);
}

void ObservedRun::wait_unobserved() {
  EventLoop loop(signals_);
  stop_at_its_end(loop);
  loop.run();
  if (!left_running_) exit_status_ = shell_status(child_.wait());
}

// Stops the loop then, or some time after a signal asked zctrace to end.
void ObservedRun::stop_at_its_end(EventLoop& loop) {
  loop.on_ready(child_.handle(), [&](short) { loop.stop(); });
  loop.on_signal([&](const Signals::Event& event) {
    // A signal from the terminal reaches the command anyway.
    if (event.sent) ::kill(child_.pid(), event.number);
    if (event.number != SIGTERM && event.number != SIGHUP) return;
    exit_status_ = 128 + event.number;
    loop.at(EventLoop::after(kTermPatience), [&] {
      left_running_ = true;
      loop.stop();
    });
  });
}

void ObservedRun::watch_command() {
  EventLoop loop(signals_);
  take_intervals_in(loop);
  stop_at_its_end(loop);
  if (options_.duration)
    loop.at(EventLoop::after(*options_.duration), [&] {
      outlived_ = true;
      loop.stop();
    });
  loop.repeat(session_.poll_interval(), [&] {
    session_.poll();
    return session_.poll_interval();
  });
  loop.run();
}

// Returns when every descendant has ended, or a signal asks zctrace to end.
void ObservedRun::watch_descendants() {
  EventLoop loop(signals_);
  take_intervals_in(loop);
  loop.repeat(milliseconds(0), [&] {
    session_.poll();
    if (session_.running() == 0) loop.stop();
    return kDescendantsPause;
  });
  loop.run();
}

// With --verify-counts, also keeps the kernel's own counts of the command and its descendants,
// unless the options exclude some of them, or zctrace itself reads and writes meanwhile.
int ObservedRun::wait_for_command() {
  const ProbeOptions& probes = options_.session.probes;
  if (!probes.verify || !probes.follow_children || options_.companion != nullptr)
    return child_.wait();
  const WaitedChildren waited;
  const int status = child_.wait();
  if (const auto counters = waited.since()) session_.add_waited_children(child_.pid(), *counters);
  return status;
}

}  // namespace zctrace
