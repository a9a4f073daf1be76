// SPDX-License-Identifier: MIT
// `zctrace attach`: running processes, until Ctrl-C, a duration, or their end.
#include <unistd.h>

#include <memory>

#include <fmt/format.h>

#include "cli/advice/advisor.h"
#include "cli/commands/action.h"
#include "cli/commands/interval_reports.h"
#include "cli/options/attach_options.h"
#include "cli/options/help_formatter.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/recording/make_recorder.h"
#include "cli/text/units.h"
#include "collector/observe/attach_session.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

int attach(const AttachOptions& options, const Targets& targets) {
  check_attach_options(options);  // usage errors come first
  const Advisor advisor(options.count.advice, options.output, options.interval.has_value());
  require_observation();
  AttachSessionOptions observing =
      attach_options(options.targets, targets, session_options(options.count, options.output));
  observing.session.max_ended = options.output.max_processes;
  observing.duty = duty_share(options.count);
  observing.owners = true;
  // Opening a FIFO waits for its reader; only before Signals does Ctrl-C end that.
  Outputs outputs(options.output, STDOUT_FILENO);
  const std::unique_ptr<Recorder> recorder = make_recorder(options.record, options.output);
  if (recorder) observing.kept = Privilege::write_files;
  Signals signals;
  AttachSession session(observing);
  session.drop_privileges();
  if (!options.output.quiet)
    say(fmt::format("observing {}; press Ctrl-C to stop",
                    plural(session.tasks_attached(), "task", "tasks")));

  IntervalReports intervals(outputs, advisor, recorder.get(), signals.fd());
  const auto write_interval = [&] { intervals.write(session.take_interval()); };
  const auto record_interval = [&] {
    const Report report = session.next_interval();
    recorder->write(report);
    outputs.note_interval(report);
  };
  EventLoop loop(signals);
  // The end comes first: with an interval that ends at the same time there is one report.
  if (options.duration) loop.at(EventLoop::after(*options.duration), [&] { loop.stop(); });
  session.poll_in(loop);
  if (options.interval)
    loop.every(*options.interval, write_interval);
  else if (recorder)
    loop.every(kRecordingInterval, record_interval);
  if (!session.ended()) loop.run();
  session.finish();
  if (options.interval) {
    write_interval();
    return intervals.finish(session.stacks(), session.report(), options.output.strict);
  }
  if (recorder) record_interval();
  const Report report = advisor.advised(session.report(), session.stacks(), signals.fd());
  const bool recorded = !recorder || recorder->finish(&report, session.stacks());
  outputs.write(report, session.stacks());
  return recorded ? outputs.status(report) : kExitFailed;
}

}  // namespace

void add_attach_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<AttachOptions>();
  CLI::App* command = app.add_subcommand(
      "attach", "Observe running processes and their descendants, then print a report");
  add_attach_options(*command, *options);
  set_help(
      *command,
      {"-p PID | -n GLOB | -G CGROUP | --unit NAME | -a [OPTIONS]",
       {"Observes until Ctrl-C, until TIME has passed, or until the last target ends. Targets "
        "can be combined. They are never stopped or signalled; what they did earlier is not "
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
        {"Record a server, to look at it or compare it later",
         "sudo zctrace attach -n nginx -d 60 -q --record before.db"},
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
