// SPDX-License-Identifier: MIT
// The order of the runs, and what each of them leaves behind.
#include "cli/compare/run.h"

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/compare/copies.h"
#include "cli/compare/progress.h"
#include "cli/compare/route.h"
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
  result.method = row.method->name;
  result.buffer = row.buffer_name;
  result.buffer_bytes = row.buffer_bytes;
  result.label = row.label;
  result.copies_in_user_space = row.method->copies_in_user_space;
  if (row.daemon_splices) result.daemon.emplace().splice = *row.daemon_splices;
  return result;
}

const Route& route_of(const PlannedRow& row, const Routes& routes) {
  for (const Route& route : routes.all())
    if (route.daemon == nullptr || route.daemon->splice() == row.daemon_splices) return route;
  return routes.all().front();
}

// Runs a plan once. A row that failed is not run again.
class CompareRun {
 public:
  CompareRun(const ComparePlan& plan, const Routes& routes, Signals& signals)
      : plan_(plan),
        signals_(signals),
        progress_(plan.rows.size() * (std::max(plan.warmup, 1U) + plan.runs + 2)) {
    base_.cold = plan.cold;
    base_.drain_read_bytes = plan.drain_read_bytes;
    base_.drain_splice = plan.drain_splices;
    base_.stop_fd = signals.fd();
    for (const PlannedRow& row : plan.rows)
      runs_.push_back({&row, &route_of(row, routes), no_result_yet(row)});
    for (const Route& route : routes.all())
      if (route.daemon != nullptr) daemons_.push_back(route.daemon->pid());
  }

  // Returns early when a signal asks for it; what was measured until then stays valid.
  // Counts come first, so that an interrupted comparison has them for all of its rounds.
  void run() {
    warm_up();
    count();
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

  // What went wrong becomes the row's error. An interrupted run leaves no trace.
  std::optional<transfers::TransferResult> once(RowRun& run,
                                                const transfers::TransferOptions& options) {
    if (interrupted()) return std::nullopt;
    try {
      transfers::TransferResult done = transfers::run_once(
          *run.plan->method, run.plan->buffer, *run.route->source, run.route->sink, options);
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
        run.result.supported = !run.result.error;
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
      timing.before_move = [&meter, daemon] {
        daemon->wait_until_forgets_are_done();
        meter = daemon->meter();
      };
      timing.after_move = [&meter, daemon] {
        daemon->wait_until_idle();
        DaemonMeter used = daemon->meter();
        used -= meter;
        meter = used;
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
  }

  static void take_notifications(const transfers::TransferResult& done, MethodResult& result) {
    result.notifications = done.notifications;
    result.copied_notifications = done.copied_notifications;
  }

  static void open_window(void* window) { *static_cast<volatile std::uint32_t*>(window) = 1; }
  static void close_window(void* window) { *static_cast<volatile std::uint32_t*>(window) = 0; }

  void count() {
    if (interrupted()) return;
    SessionOptions session_options;
    session_options.probes.windowed = true;
    session_options.probes.adaptive = false;
    session_options.syscalls = "%all";
    session_options.probes.profile_hz = plan_.profile_hz;
    session_options.probes.channels = session_options.probes.mapped = plan_.channels;
    session_options.commands = false;  // the report has none, and reading them starts a thread
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
      run.result.by_channel = by_channel(session, run.result.counts);
      run.result.observed_wall_ns = static_cast<double>(done->wall_ns);
      if (run.result.daemon) {
        run.result.daemon->counts = daemon.counts;
        run.result.daemon->usage = daemon.usage;
        run.result.daemon->by_channel = by_channel(*daemon_session, daemon.counts);
      }
    }
    completeness_ = session.completeness();
    if (daemon_session) add_losses(daemon_session->completeness());
  }

  // The report of this process alone, with the names of its files and peers.
  std::shared_ptr<const Report> by_channel(const Session& session, const Process& counts) const {
    if (!plan_.channels) return nullptr;
    auto report = std::make_shared<Report>();
    report->unknown = session.unknown();
    report->processes = {counts};
    session.add_channels(*report);
    return report;
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
      counted.usage = daemon.meter().usage;
      counted.counts = read();
    };
    counting.after_move = [&, read] {
      daemon.wait_until_idle();
      counted.counts = difference(read(), counted.counts);
      // After the reading, because the answer costs the daemon calls of its own.
      fuse::Usage usage = daemon.meter().usage;
      usage -= counted.usage;
      counted.usage = usage;
    };
  }

  void find_copies() {
    for (RowRun& run : runs_) {
      if (interrupted()) return;
      progress_.step("finding the copies of " + run.result.label);
      if (run.works()) set_copies(run.result, copies_found(run), circumstances_of(run));
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
    const transfers::SinkKind sink = run.route->sink.kind;
    return {.sinks = run.plan->method->needs.second_sink ? 2U : 1U,
            .to_null = sink == transfers::SinkKind::null,
            .to_file = transfers::contains(transfers::kFileSinks, sink),
            .reader_copies = plan_.route.has_reader() && !plan_.drain_splices};
  }

  // The calls in flight when the daemons were attached to belong to no transfer.
  void add_losses(const Completeness& daemons) {
    for (const auto& [reason, count] : daemons.lost_by_reason)
      completeness_.lost_by_reason[reason] += count;
    completeness_.compat_syscalls += daemons.compat_syscalls;
    completeness_.unfollowed_tasks += daemons.unfollowed_tasks;
  }

  const ComparePlan& plan_;
  Signals& signals_;
  int signal_ = 0;  // the one that asked to stop
  unsigned rounds_done_ = 0;
  std::vector<RowRun> runs_;
  std::vector<pid_t> daemons_;
  transfers::TransferOptions base_;
  Progress progress_;
  Completeness completeness_;
};

void describe(const ComparePlan& plan, const transfers::Source& source, CompareResult& compared) {
  compared.host = this_host();
  compared.argv = own_command_line();
  compared.source_kind = plan.route.source_kind;
  compared.source_path = source.path();
  compared.source_filesystem = source.filesystem();
  compared.source_bytes = source.bytes();
  compared.sink_kind = plan.route.sink_kind;
  compared.drain = plan.drain;
  compared.has_reader = plan.route.has_reader();
  compared.runs = plan.runs;
  compared.precision = plan.precision;
  compared.cold = plan.cold;
  compared.textbook = plan.textbook;
  compared.fuse = !plan.route.splice.empty();
}

}  // namespace

CompareResult run_compare(const ComparePlan& plan) {
  CompareResult compared;
  compared.started_at = now_rfc3339();
  const auto start = steady_clock::now();
  const Routes routes(plan.route);
  if (plan.cold && routes.source().filesystem() == "tmpfs")
    throw Error("--cold: the source lies on tmpfs, which has no disk to read from", kExitUsage);
  // Only now: until here there is nothing to report, so a signal may end the process at once.
  Signals signals;
  describe(plan, routes.source(), compared);
  {
    CompareRun run(plan, routes, signals);
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
