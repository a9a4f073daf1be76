// SPDX-License-Identifier: MIT
// `zctrace run -- CMD`: one command and all its descendants, from exec to exit.
#include <poll.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/count_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/views/json_schema.h"
#include "collector/fuse/mount/private_mount.h"
#include "collector/fuse/report/fuse_report.h"
#include "collector/observe/host.h"
#include "collector/observe/preflight.h"
#include "collector/observe/session.h"
#include "collector/observe/waited_children.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"
#include "collector/os/exit_status.h"
#include "collector/os/gated_child.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct RunOptions {
  std::vector<std::string> argv;
  CountOptions count;
  OutputOptions output;
  bool as_root = false;
  bool wait_all = false;
  bool json_schema = false;
  std::string mount;  // a directory that the command sees through the passthrough
};

// What a command gets to end after a SIGTERM that zctrace passed on to it.
constexpr milliseconds kTermPatience(2000);
// A task leaves its CPU for the last time a moment after its parent could wait for it.
constexpr milliseconds kGonePatience(2000);

struct Ending {
  bool ended = false;  // false: it outlived a signal that asked zctrace to end
  int signal = 0;      // the one that asked
};

// Until the command ends, or zctrace is told to.
Ending watch(GatedChild& child, Signals& signals, Session& session) {
  Ending ending;
  auto deadline = steady_clock::time_point::max();
  auto next_poll = steady_clock::now() + session.poll_interval();
  for (;;) {
    const auto now = steady_clock::now();
    if (now >= deadline) return ending;
    if (now >= next_poll) {
      session.poll();
      next_poll = steady_clock::now() + session.poll_interval();
    }
    const auto until = std::min(deadline, next_poll) - now;
    pollfd events[] = {{child.handle(), POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    const auto timeout = std::chrono::ceil<milliseconds>(until).count();
    if (::poll(events, 2, static_cast<int>(timeout)) < 0 && errno != EINTR)
      throw system_error("cannot wait for the command", errno);
    for (Signals::Event event = signals.take(); event.number != 0; event = signals.take()) {
      // From the terminal the command has it too.
      if (event.sent) ::kill(child.pid(), event.number);
      if (event.number != SIGTERM && event.number != SIGHUP) continue;
      ending.signal = event.number;
      deadline = std::min(deadline, steady_clock::now() + kTermPatience);
    }
    if (events[0].revents != 0) {
      ending.ended = true;
      return ending;
    }
  }
}

// Until every descendant is gone, or a signal asks to end.
void watch_descendants(Signals& signals, Session& session) {
  for (session.poll(); session.running() != 0; session.poll()) {
    pollfd event = {signals.fd(), POLLIN, 0};
    ::poll(&event, 1, 50);
    if (signals.take().number != 0) return;
  }
}

// Waits for the command, and hands on what the kernel says of its descendants. Not where some were
// left out on purpose, or where zctrace itself reads and writes meanwhile.
int wait_and_compare(GatedChild& child, const RunOptions& options, Session& session) {
  const WaitedChildren waited;
  const int status = child.wait();
  if (options.count.no_follow || !options.mount.empty()) return status;
  if (const auto counters = waited.since()) session.add_waited_children(child.pid(), *counters);
  return status;
}

int run(const RunOptions& options) {
  if (options.json_schema) {
    write_all(STDOUT_FILENO, std::string(json_schema()), "to standard output");
    return kExitDone;
  }
  const SyscallTable selection_check(options.count.syscalls);  // usage errors come first
  require_observation();
  Outputs outputs(options.output, STDERR_FILENO);
  const auto caller = options.as_root ? std::nullopt : sudo_caller();

  // The fork comes first: the kernel counts what zctrace holds then as the command's peak RSS.
  Signals signals;
  std::optional<fuse::PrivateMount> mount;
  if (!options.mount.empty()) mount.emplace(options.mount);
  const auto enter = [&mount] { return mount ? mount->enter() : 0; };
  GatedChild child(options.argv, caller, signals.before(), enter);

  SessionOptions observing = session_options(options.count, options.output);
  observing.max_ended = options.output.max_processes;
  Session session(observing);
  if (mount) {
    fuse::PassthroughOptions passthrough;
    passthrough.before_serving = [&session](const std::vector<pid_t>& threads) {
      session.observe_own(threads);
    };
    mount->serve(passthrough);
  }
  session.arm(child.pid());
  drop_capabilities(false);

  const std::size_t serving = mount ? mount->passthrough().threads() : 0;
  const auto mounted =
      mount ? fuse::take_snapshot(mount->passthrough(), serving) : fuse::MountSnapshot();
  Report report;
  report.command = "run";
  report.host = this_host();
  report.argv = options.argv;
  report.started_at = now_rfc3339();
  report.latency = session.latency();
  report.selection = session.selection();
  const auto start = steady_clock::now();
  // Told to end while the programs were loaded: the command has not begun, and never does.
  if (const Signals::Event event = signals.take(); event.number != 0) return 128 + event.number;
  child.release();
  const Ending ending = watch(child, signals, session);
  if (ending.ended) {
    report.exit_code = shell_status(options.count.verify ? wait_and_compare(child, options, session)
                                                         : child.wait());
    session.poll_until_gone(child.pid(), kGonePatience);
  } else {
    session.poll();
    tell(fmt::format("zctrace: the command (process {}) still runs and is no longer observed\n",
                     child.pid()));
  }
  if (ending.ended && options.wait_all) watch_descendants(signals, session);
  report.duration_ns = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now() - start).count());
  // Who serves counts a request a moment after it was answered.
  if (mount) mount->passthrough().stop();
  std::optional<Verification> verification;
  if (options.count.verify) verification = session.verify();
  if (mount || session.running() != 0) session.stop();
  report.completeness = session.completeness();
  report.completeness.verification = std::move(verification);
  report.processes = session.processes();
  report.others = session.others();
  if (mount) {
    const fuse::MountSnapshot now = fuse::take_snapshot(mount->passthrough(), serving);
    fuse::add_mount(report, fuse::report_between(mounted, now, mount->passthrough()),
                    session.own_threads());
  }
  outputs.write(report);
  if (const int lost = outputs.status(report); lost != kExitDone) return lost;
  return report.exit_code.value_or(128 + ending.signal);
}

}  // namespace

void add_run_command(CLI::App& app, const Separated& separated, Action& chosen) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run a command and count how it moves bytes");
  add_count_options(*command, options->count);
  add_verify_option(*command, options->count);
  command
      ->add_flag("--as-root", options->as_root,
                 "Under sudo: run the command as root (default: as the user that called sudo)")
      ->group("The command");
  command
      ->add_flag("--wait", options->wait_all,
                 "Report when the last descendant has ended (default: when the command has)")
      ->group("The command");
  command
      ->add_option("--mount", options->mount,
                   "Show DIR to the command through a counting FUSE file system (root only)")
      ->type_name("DIR")
      ->group("The command");
  add_output_options(*command, options->output);
  command
      ->add_flag("--json-schema", options->json_schema, "Print the JSON Schema of --json and exit")
      ->group("Output");
  set_help(*command,
           {"[OPTIONS] -- COMMAND [ARGUMENT...]",
            {"Observes COMMAND and all its descendants from the first instruction, and prints the "
             "report to standard error when COMMAND has ended. Ctrl-C reaches COMMAND.",
             "Under sudo, COMMAND runs as the user that called sudo. If it then fails with "
             "EPERM or EACCES (\"Permission denied\"), give --as-root."},
            {{"Exit status",
              {{"N", "The status of COMMAND; 128+N if signal N ended it"},
               {"1", "zctrace failed"},
               {"2", "Usage error"},
               {"3", "Events were lost, or --verify-counts found a difference (with --strict)"},
               {"77", "This machine or user cannot observe; 'zctrace doctor' says why"},
               {"126, 127", "COMMAND cannot be executed, or is not found"}}}},
            {{"Count how cp moves the bytes of a file", "sudo zctrace run -- cp big copy"},
             {"List each process of a pipeline, and write a report for scripts",
              "sudo zctrace run --by process --json report.json -- sh -c 'cat big | wc'"},
             {"Give each syscall a row of its own", "sudo zctrace run -e %all -- ls"}}});
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
