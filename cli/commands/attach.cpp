// SPDX-License-Identifier: MIT
// `zctrace attach`: running processes, until Ctrl-C, a duration, or their end.
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/count_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/options/target_options.h"
#include "cli/options/validators.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/text/units.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/table_view.h"
#include "collector/observe/attach_session.h"
#include "collector/observe/host.h"
#include "collector/observe/preflight.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

struct AttachOptions {
  TargetOptions targets;
  CountOptions count;
  OutputOptions output;
  std::optional<nanoseconds> duration;
  std::optional<nanoseconds> interval;
};

// One observation's reports: of each interval, or one at the end.
class Reporter {
 public:
  Reporter(const AttachOptions& options, Watch& watch)
      : options_(options),
        watch_(watch),
        outputs_(options.output, STDOUT_FILENO),
        start_(steady_clock::now()) {
    first_.started_at = last_.started_at = now_rfc3339();
    last_at_ = start_;
  }

  // The differences since the interval before, with the time. The last one says whether the
  // counts of all of them are right.
  void interval(bool last) {
    Report standing = last ? last_report() : complete(watch_.report());
    const auto now = steady_clock::now();
    const std::string now_text = now_rfc3339();
    watch_.forget_ended();  // they are in this report
    Report between = difference(standing, last_);
    between.started_at = last_.started_at;
    between.duration_ns = since(last_at_, now);
    outputs_.write_interval(between);
    lost_ |= !between.completeness.whole();
    last_ = std::move(standing);
    last_.started_at = now_text;
    last_at_ = now;
  }

  void final_report() {
    Report report = last_report();
    report.started_at = first_.started_at;
    report.duration_ns = since(start_, steady_clock::now());
    lost_ |= !report.completeness.whole();
    outputs_.write(report);
  }

  int status() const { return options_.output.strict && lost_ ? kExitLost : kExitDone; }

 private:
  static std::uint64_t since(steady_clock::time_point from, steady_clock::time_point to) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<nanoseconds>(to - from).count());
  }

  // Ends the observation.
  Report last_report() {
    std::optional<Verification> verification;
    if (options_.count.verify) verification = watch_.verify();
    watch_.stop();
    Report report = complete(watch_.report());
    report.completeness.verification = std::move(verification);
    return report;
  }

  Report complete(Report report) const {
    report.command = "attach";
    report.host = this_host();
    report.argv = own_command_line();
    return report;
  }

  const AttachOptions& options_;
  Watch& watch_;
  Outputs outputs_;
  Report first_;
  Report last_;
  bool lost_ = false;
  steady_clock::time_point start_;
  steady_clock::time_point last_at_;
};

int attach(const AttachOptions& options, const Targets& targets) {
  const auto [duration, interval] = std::pair(options.duration, options.interval);
  const SyscallTable selection_check(options.count.syscalls);  // usage errors come first
  require_observation();
  WatchOptions watch_options;
  watch_options.targets = targets;
  watch_options.wait = options.targets.wait;
  watch_options.session = session_options(options.count, options.output);
  watch_options.session.max_ended = options.output.max_processes;
  Signals signals;
  Watch watch(watch_options);
  Reporter reporter(options, watch);
  drop_capabilities(true);
  if (!options.output.quiet)
    tell(fmt::format("zctrace: observing {} task{}; Ctrl-C ends\n", watch.tasks_attached(),
                     watch.tasks_attached() == 1 ? "" : "s"));

  const auto never = steady_clock::time_point::max();
  const auto start = steady_clock::now();
  const auto end = duration ? start + *duration : never;
  auto next_report = interval ? start + *interval : never;
  auto next_poll = start + watch.poll_interval();
  bool told = false;
  while (!told && !watch.ended() && steady_clock::now() < end) {
    const auto wake = std::min({end, next_report, next_poll});
    pollfd event = {signals.fd(), POLLIN, 0};
    const auto timeout = std::chrono::ceil<milliseconds>(wake - steady_clock::now()).count();
    if (::poll(&event, 1, static_cast<int>(std::max<std::int64_t>(timeout, 0))) < 0 &&
        errno != EINTR)
      throw system_error("cannot wait", errno);
    told = signals.take().number != 0;
    watch.poll();
    next_poll = steady_clock::now() + watch.poll_interval();
    if (steady_clock::now() < next_report) continue;
    reporter.interval(false);
    // Late is late: no burst of reports to catch up.
    while (next_report <= steady_clock::now()) next_report += *interval;
  }
  watch.poll();
  if (interval)
    reporter.interval(true);
  else
    reporter.final_report();
  return reporter.status();
}

}  // namespace

void add_attach_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<AttachOptions>();
  CLI::App* command = app.add_subcommand(
      "attach", "Observe running processes and their descendants, then print a report");
  add_target_options(*command, options->targets);
  add_duration_option(*command, "-d,--duration", options->duration,
                      "Stop after TIME: seconds, or with a unit (e.g. 500ms, 10s, 5m)")
      ->group("When");
  add_duration_option(*command, "-i,--interval", options->interval,
                      "Report every TIME instead of once (e.g. 500ms, 10s)")
      ->group("When");
  add_count_options(*command, options->count);
  add_verify_option(*command, options->count);
  add_output_options(*command, options->output);
  set_help(
      *command,
      {"-p PID | -n GLOB | -G CGROUP | --unit NAME | -a [OPTIONS]",
       {"Observes until Ctrl-C, until TIME is over, or until the last target ends. Targets "
        "combine. The targets are not stopped or slowed down; what they did before is not "
        "counted. The table goes to standard output."},
       {{"Exit status",
         {{"0", "Success"},
          {"1", "Failure"},
          {"2", "Usage error"},
          {"3", "Events were lost, or --verify-counts found a difference (with --strict)"},
          {"77", "This machine or user cannot observe; 'zctrace doctor' says why"}}}},
       {{"Count what every nginx process moves in ten seconds",
         "sudo zctrace attach -n nginx -d 10"},
        {"Report on a service each second, as CSV",
         "sudo zctrace attach --unit postgresql.service -i 1 --csv - -q"},
        {"See which threads of a process copy", "sudo zctrace attach -p 4711 -d 5 --by thread"}}});
  command->callback([options, &chosen] {
    if (wants_syscall_list(options->count)) {
      chosen = print_syscall_list;
      return;
    }
    const Targets targets = parse_targets(options->targets, true);
    chosen = [options, targets] { return attach(*options, targets); };
  });
}

}  // namespace zctrace
