// SPDX-License-Identifier: MIT
// The order of the runs, and what each of them leaves behind.
#include "cli/compare/run.h"

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/compare/copies.h"
#include "cli/compare/counting.h"
#include "cli/compare/programs/program_runs.h"
#include "cli/compare/progress.h"
#include "cli/compare/route.h"
#include "collector/fuse/report/ring_rows.h"
#include "collector/observe/machine/host.h"
#include "collector/observe/session.h"
#include "collector/os/error.h"
#include "collector/os/signals.h"
#include "transfers/run.h"

namespace zctrace {
namespace {

using std::chrono::steady_clock;

MethodResult no_result_yet(const PlannedRow& row) {
  MethodResult result;
  if (row.program) {
    result.method = row.program->name;
    result.program.emplace().argv = row.program->words;
  } else {
    result.method = row.method->name;
    result.copies_in_user_space = row.method->copies_in_user_space;
  }
  result.buffer = row.buffer_name;
  result.buffer_bytes = row.buffer_bytes;
  result.label = row.label;
  if (row.fuse_mode) result.daemon.emplace().mode = *row.fuse_mode;
  return result;
}

const Route& route_of(const PlannedRow& row, const std::list<Route>& routes) {
  for (const Route& route : routes)
    if (route.daemon == nullptr || route.daemon->mode() == row.fuse_mode) return route;
  return routes.front();
}

// Runs a plan once. A row that failed is not run again.
class CompareRun {
 public:
  CompareRun(const ComparePlan& plan, const std::list<Route>& routes, Signals& signals)
      : plan_(plan),
        signals_(signals),
        programs_(plan, signals),
        progress_(plan.rows.size() * (std::max(plan.warmup, 1U) + plan.runs + 2)) {
    base_.cold = plan.cold;
    base_.drain_read_bytes = plan.drain_read_bytes;
    base_.drain_splice = plan.drain_splices;
    base_.stop_fd = signals.fd();
    for (const PlannedRow& row : plan.rows)
      runs_.push_back({&row, &route_of(row, routes), no_result_yet(row)});
    for (const Route& route : routes)
      if (route.daemon != nullptr) daemons_.push_back(route.daemon->pid());
  }

  // Returns early when a signal asks for it; what was measured until then stays valid.
  // Counts come first, so that an interrupted comparison has them for all of its rounds.
  void run() {
    warm_up();
    count();
    count_programs();
    find_copies();
    while (rounds_done_ < plan_.runs && !precise_enough() && !interrupted()) {
      time_round(rounds_done_);
      if (!interrupted()) rounds_done_++;
    }
  }

  void take_results(CompareResult& compared) {
    for (RowRun& run : runs_) compared.methods.push_back(std::move(run.result));
    compared.keep_rounds(rounds_done_);
    compared.completeness = completeness_;
    compared.interrupted_by = signal_;
  }

 private:
  struct RowRun {
    const PlannedRow* plan;
    const Route* route;
    MethodResult result;

    bool works() const { return result.supported && !result.error; }
    void require_daemon() const {
      if (route->daemon != nullptr) route->daemon->require_alive();
    }
  };

  bool interrupted() {
    if (signal_ == 0) signal_ = signals_.take().number;
    return signal_ != 0;
  }

  std::optional<transfers::TransferResult> once(RowRun& run,
                                                const transfers::TransferOptions& options) {
    return attempt(run, [&] {
      if (run.plan->program) return programs_.run(*run.plan, *run.route, options);
      return transfers::run_once(*run.plan->method, run.plan->buffer, *run.route->source,
                                 run.route->sink, options);
    });
  }

  // What went wrong becomes the row's error. An interrupted run leaves no trace.
  template <typename CarryOut>
  std::optional<transfers::TransferResult> attempt(RowRun& run, CarryOut carry_out) {
    if (interrupted()) return std::nullopt;
    try {
      transfers::TransferResult done = carry_out();
      if (interrupted()) return std::nullopt;
      if (!done.error) return done;
      run.require_daemon();
      run.result.error = done.error->text;
    } catch (const Error& error) {
      if (interrupted()) return std::nullopt;
      run.require_daemon();
      run.result.error = error.what();
    }
    return std::nullopt;
  }

  // The first run of each row is never timed: it shows whether the method is legal on this pair of
  // source and sink, and compares checksums.
  void warm_up() {
    transfers::TransferOptions verifying = base_;
    verifying.verify = true;
    for (RowRun& run : runs_) {
      progress_.step("verifying " + run.result.label);
      const auto done = once(run, verifying);
      if (!done) {
        // A method that fails is one that is not legal here; a program is merely wrong.
        run.result.supported = !run.result.error || run.plan->program != nullptr;
        continue;
      }
      run.result.bytes = done->moved_bytes;
      run.result.verified = done->checksum_ok;
    }
    for (unsigned round = 1; round < plan_.warmup; round++)
      for (RowRun& run : runs_) {
        progress_.step("warming up " + run.result.label);
        if (run.works()) once(run, base_);
      }
  }

  // Of fewer than six runs, the interval is not that of 95% (statistics.h).
  bool precise_enough() const {
    return plan_.precision > 0 && rounds_done_ >= kLeastForCertainty &&
           std::all_of(runs_.begin(), runs_.end(), [&](const RowRun& run) {
             return !run.works() || relative_margin(run.result.wall_ns) <= plan_.precision;
           });
  }

  // Each round begins with another row, so that no row always follows the same one.
  void time_round(unsigned round) {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      RowRun& run = runs_[(round + i) % runs_.size()];
      progress_.step(fmt::format("round {}/{} {}", round + 1, plan_.runs, run.result.label));
      if (run.works()) time(run);
    }
  }

  void time(RowRun& run) {
    transfers::TransferOptions timing = base_;
    DaemonMeter meter;
    if (FuseDaemon* const daemon = run.route->daemon) {
      timing.before_move = [daemon] {
        daemon->wait_until_forgets_are_done();
        daemon->reset_meter();
      };
      timing.after_move = [&meter, daemon] {
        daemon->wait_until_idle();
        meter = daemon->used();
      };
    }
    const auto done = once(run, timing);
    if (!done) return;
    if (run.result.daemon) {
      run.result.daemon->user_ns.push_back(static_cast<double>(meter.user_ns));
      run.result.daemon->system_ns.push_back(static_cast<double>(meter.system_ns));
    }
    run.result.wall_ns.push_back(static_cast<double>(done->wall_ns));
    run.result.user_ns.push_back(static_cast<double>(done->user_ns));
    run.result.system_ns.push_back(static_cast<double>(done->system_ns));
    take_notifications(*done, run.result);
    if (done->startup_ns)
      run.result.program->startup_ns.push_back(static_cast<double>(*done->startup_ns));
    if (done->transfer_ns)
      run.result.program->transfer_ns.push_back(static_cast<double>(*done->transfer_ns));
  }

  static void take_notifications(const transfers::TransferResult& done, MethodResult& result) {
    result.notifications = done.notifications;
    result.copied_notifications = done.copied_notifications;
  }

  static void open_window(void* window) { *static_cast<volatile std::uint32_t*>(window) = 1; }
  static void close_window(void* window) { *static_cast<volatile std::uint32_t*>(window) = 0; }

  bool has_methods() const {
    return std::any_of(runs_.begin(), runs_.end(),
                       [](const RowRun& run) { return run.plan->method != nullptr; });
  }

  void count() {
    if (!has_methods() || interrupted()) return;
    SessionOptions session_options = counting_options(plan_);
    session_options.probes.windowed = true;
    Session session(session_options);
    // A daemon's calls begin before the window and end in it. So its counts are the difference of
    // two readings, each taken while the daemon waits for requests.
    std::optional<Session> daemon_session;
    if (!daemons_.empty()) {
      session_options.probes.windowed = false;
      daemon_session.emplace(session_options);
      daemon_session->attach(daemons_);
    }
    pid_t child = 0;
    transfers::TransferOptions counting = base_;
    counting.before_release = [&](pid_t pid) { session.observe(child = pid); };
    counting.window_open = open_window;
    counting.window_close = close_window;
    counting.window_context = const_cast<std::uint32_t*>(session.window());
    for (RowRun& run : runs_) {
      if (run.plan->program) continue;
      progress_.step("counting " + run.result.label);
      if (!run.works()) continue;
      DaemonResult daemon;
      if (run.route->daemon != nullptr)
        count_daemon(*run.route->daemon, *daemon_session, daemon, counting);
      const auto done = once(run, counting);
      *session.window() = 0;  // a child that was killed has left it open
      session.poll_until_gone(child, std::chrono::milliseconds(500));
      if (!done) continue;
      run.result.counts = session.process(child);
      take_notifications(*done, run.result);
      run.result.counts.minor_faults = done->minor_faults;
      run.result.counts.major_faults = done->major_faults;
      run.result.disk_read_bytes = done->disk_read_bytes;
      run.result.network_bytes = done->network_bytes;
      run.result.pipe_bytes = done->pipe_bytes;
      run.result.by_channel = by_channel(plan_, session, {run.result.counts});
      run.result.observed_wall_ns = static_cast<double>(done->wall_ns);
      if (run.result.daemon) {
        run.result.daemon->counts = daemon.counts;
        run.result.daemon->usage = daemon.usage;
        run.result.daemon->by_channel = by_channel(plan_, *daemon_session, {daemon.counts});
      }
    }
    completeness_ = session.completeness();
    if (daemon_session) add_losses(completeness_, daemon_session->completeness());
  }

  void count_programs() {
    if (!plan_.has_programs() || interrupted()) return;
    Session session(counting_options(plan_));
    for (RowRun& run : runs_) {
      if (!run.plan->program) continue;
      progress_.step("counting " + run.result.label);
      if (!run.works()) continue;
      std::vector<Process> counted;
      const auto done = attempt(run, [&] {
        return programs_.run_counted(*run.plan, *run.route, base_, session, run.result, counted);
      });
      if (!done) continue;
      // No drain says how much a command moved, what went to /dev/null, or to another reader.
      if (run.result.bytes == 0)
        run.result.bytes = run.route->sink.kind == transfers::SinkKind::null && !plan_.commands
                               ? bytes_to_devices(run.result.counts)
                               : run.result.delivered_bytes();
      run.result.disk_read_bytes = done->disk_read_bytes;
      run.result.by_channel = by_channel(plan_, session, counted);
      run.result.observed_wall_ns = static_cast<double>(done->wall_ns);
    }
    if (has_methods())
      add_losses(completeness_, session.completeness());
    else
      completeness_ = session.completeness();
  }

  // Makes the run that `counting` is for fill in `counted`.
  static void count_daemon(FuseDaemon& daemon, Session& session, DaemonResult& counted,
                           transfers::TransferOptions& counting) {
    const auto read = [&daemon, &session] {
      session.poll();
      return session.process(daemon.pid());
    };
    counting.before_move = [&, read] {
      daemon.wait_until_forgets_are_done();
      daemon.reset_meter();
      counted.counts = read();
    };
    counting.after_move = [&, read] {
      daemon.wait_until_idle();
      counted.counts = difference(read(), counted.counts);
      // After the reading, because the answer costs the daemon calls of its own.
      const DaemonMeter used = daemon.used();
      counted.usage = used.usage;
      fuse::add_ring_rows(counted.counts, used.ring);
    };
  }

  void find_copies() {
    for (RowRun& run : runs_) {
      if (interrupted()) return;
      progress_.step("finding the copies of " + run.result.label);
      if (!run.works()) continue;
      if (run.plan->program || run.route->sink.remote)
        set_counted_copies(run.result, circumstances_of(run));
      else
        set_copies(run.result, copies_found(run), circumstances_of(run));
    }
  }

  transfers::CopiesFound copies_found(const RowRun& run) const {
    transfers::CopiesFound found;
    if (run.route->daemon != nullptr) {
      found.unknown = "client and daemon cannot be told apart by an experiment";
      return found;
    }
    try {
      return transfers::find_copies(*run.plan->method, run.plan->buffer, *run.route->source,
                                    run.route->sink, base_.stop_fd);
    } catch (const Error& error) {
      found.unknown = error.what();
      return found;
    }
  }

  CopyCircumstances circumstances_of(const RowRun& run) const {
    if (plan_.commands) return {};
    const transfers::SinkKind sink = run.route->sink.kind;
    const transfers::Method* const method = run.plan->method;
    return {.sinks = method != nullptr && method->needs.second_sink ? 2U : 1U,
            .to_null = sink == transfers::SinkKind::null,
            .to_file = transfers::contains(transfers::kFileSinks, sink),
            .reader_copies = plan_.route.has_reader() && !plan_.drain_splices};
  }

  const ComparePlan& plan_;
  Signals& signals_;
  int signal_ = 0;  // the one that asked to stop
  unsigned rounds_done_ = 0;
  std::vector<RowRun> runs_;
  std::vector<pid_t> daemons_;
  transfers::TransferOptions base_;
  ProgramRuns programs_;
  Progress progress_;
  Completeness completeness_;
};

void describe(const ComparePlan& plan, CompareResult& compared) {
  compared.host = this_host();
  compared.argv = own_command_line();
  compared.runs = plan.runs;
  compared.precision = plan.precision;
  compared.commands = plan.commands;
}

void describe_route(const ComparePlan& plan, const transfers::Source& source,
                    CompareResult& compared) {
  compared.source_kind = plan.route.source_kind;
  compared.source_path = source.path();
  compared.source_filesystem = source.filesystem();
  compared.source_bytes = source.bytes();
  compared.sink_kind = plan.route.sink_kind;
  compared.drain = reader_text(plan);
  compared.has_reader = plan.route.has_reader();
  compared.cold = plan.cold;
  compared.textbook = plan.textbook;
  compared.fuse = !plan.route.fuse_modes.empty();
  compared.left_out = plan.route.left_out;
}

}  // namespace

CompareResult run_compare(const ComparePlan& plan) {
  CompareResult compared;
  compared.started_at = now_rfc3339();
  const auto start = steady_clock::now();
  std::optional<Routes> routes;
  const std::list<Route> no_route{{nullptr, {}, nullptr}};
  if (!plan.commands) routes.emplace(plan.route);
  if (plan.cold && routes && routes->source().filesystem() == "tmpfs")
    throw Error("--cold: the source lies on tmpfs, which has no disk to read from", kExitUsage);
  // Only now: until here there is nothing to report, so a signal may end the process at once.
  Signals signals;
  describe(plan, compared);
  if (routes) describe_route(plan, routes->source(), compared);
  {
    CompareRun run(plan, routes ? routes->all() : no_route, signals);
    run.run();
    run.take_results(compared);
  }
  compared.choose_baseline(plan.baseline);
  compared.sort_by(plan.sort);
  compared.duration_ns = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now() - start).count());
  return compared;
}

}  // namespace zctrace
