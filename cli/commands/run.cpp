// SPDX-License-Identifier: MIT
// `zctrace run -- CMD`: one command and all its descendants, from exec to exit.
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "cli/advice/advisor.h"
#include "cli/commands/action.h"
#include "cli/commands/interval_reports.h"
#include "cli/commands/stuck_threads.h"
#include "cli/options/run_options.h"
#include "cli/output/as_root_hint.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/recording/make_recorder.h"
#include "cli/views/json_schema.h"
#include "collector/fuse/report/mounted_run.h"
#include "collector/observe/observed_run.h"
#include "collector/observe/preflight.h"
#include "collector/os/caller.h"
#include "collector/os/error.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

constexpr int kSignalled = 128;  // plus the signal: the status of a command that one ended

std::optional<Report> run_observed(ObservedRun& observed, bool as_caller) {
  try {
    return observed.run();
  } catch (const Error& error) {
    const auto hint = as_caller ? as_root_hint(error) : std::nullopt;
    if (!hint) throw;
    throw Error(error.what() + ("; " + *hint), error.exit_code(), error.error_number());
  }
}

int run(const RunOptions& options) {
  if (options.json_schema) {
    write_all(STDOUT_FILENO, std::string(json_schema()), "to standard output");
    return kExitDone;
  }
  check_run_options(options);  // usage errors come first
  const Advisor advisor(options.count.advice, options.output, options.reports_intervals());
  require_observation();
  Outputs outputs(options.output, STDERR_FILENO);
  const std::unique_ptr<Recorder> recorder = make_recorder(options.record, options.output);
  ObservedRunOptions observing;
  observing.argv = options.argv;
  if (!options.as_root) observing.caller = sudo_caller();
  observing.session = session_options(options.count, options.output);
  observing.session.max_ended = options.output.max_processes;
  observing.wait_for_descendants = options.wait_all;
  observing.duration = options.duration;
  observing.interval = options.interval.value_or(kRecordingInterval);
  if (recorder) observing.kept = Privilege::write_files;
  Signals signals;
  IntervalReports intervals(outputs, advisor, nullptr, signals.fd());
  if (options.reports_intervals())
    observing.on_interval = [&](const Report& report) { intervals.write(report); };
  else if (recorder)
    observing.on_interval = [&](const Report& report) {
      recorder->write(report);
      outputs.note_interval(report);
    };
  std::optional<fuse::MountedRun> mount;
  if (!options.mount.empty()) observing.companion = &mount.emplace(options.mount);
  ObservedRun observed(signals, observing);
  std::optional<Report> report = run_observed(observed, observing.caller.has_value());
  if (!report) return observed.exit_status();
  int lost = kExitDone;
  if (options.reports_intervals()) {
    lost = intervals.finish(observed.stacks(), *report, options.output.strict);
  } else {
    report = advisor.advised(std::move(*report), observed.stacks(), signals.fd());
    const bool recorded = !recorder || recorder->finish(&*report, observed.stacks());
    outputs.write(*report, observed.stacks());
    lost = recorded ? outputs.status(*report) : kExitFailed;
  }
  if (observed.outlived()) observed.wait_unobserved();
  if (observed.left_running())
    say(fmt::format("the command (process {}) still runs and is no longer observed",
                    observed.pid()));
  const bool failed = observed.exit_status() != 0 && observed.exit_status() < kSignalled;
  if (observing.caller && failed && !options.output.quiet)
    if (const auto hint = as_root_hint(*report)) say(*hint);
  const int status = lost != kExitDone ? lost : observed.exit_status();
  if (mount && mount->has_stuck_threads()) end_with_stuck_threads(options.mount, status);
  return status;
}

}  // namespace

void add_run_command(CLI::App& app, const Separated& separated, Action& chosen) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run a command and count how it moves bytes");
  add_run_options(*command, *options);
  // The command's own options are not ours: parsing ends at its name.
  command->allow_extras()->prefix_command();
  command->callback([command, options, &separated, &chosen] {
    const std::vector<std::string> rest = command->remaining();
    // `run cp -a x y` works without "--"; then the first word must not look like an option.
    if (!rest.empty() && (separated || rest.front().starts_with('-')))
      throw CLI::ExtrasError("run", rest);
    if (wants_syscall_list(options->count)) {
      chosen = print_syscall_list;
      return;
    }
    options->argv = separated.value_or(rest);
    if (options->argv.empty() && !options->json_schema) throw Error("no command given", kExitUsage);
    chosen = [options] { return run(*options); };
  });
}

}  // namespace zctrace
