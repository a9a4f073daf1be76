// SPDX-License-Identifier: MIT
// `zctrace compare`: every method over the same source and sink, timed without probes in
// interleaved rounds, then counted with probes in a pass of its own.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/compare/comparison.h"
#include "cli/compare/progress.h"
#include "cli/compare/route.h"
#include "cli/options/output_options.h"
#include "cli/output/outputs.h"
#include "cli/text/units.h"
#include "cli/views/compare_view.h"
#include "cli/views/table_view.h"
#include "collector/observe/host.h"
#include "collector/observe/preflight.h"
#include "collector/observe/session.h"
#include "collector/os/error.h"
#include "transfers/method.h"
#include "transfers/run.h"
#include "transfers/source.h"

namespace zctrace {
namespace {

using std::chrono::steady_clock;

struct CompareOptions {
  RouteOptions route;
  std::string methods;
  std::string buffers;
  unsigned runs = 5;
  unsigned warmup = 1;
  std::string drain_read = "64K";
  std::string drain = "read";
  std::string baseline;
  std::string sort;
  bool cold = false;
  OutputOptions output;
};

// A row to be: what is run, and what is known of it so far.
struct Cell {
  const transfers::Method* method;
  transfers::BufferSize buffer;
  MethodResult result;
  const Route* route = nullptr;
  std::vector<double> user_ns;
  std::vector<double> system_ns;
  std::vector<double> daemon_user_ns;
  std::vector<double> daemon_system_ns;
};

constexpr std::string_view kDefaultRows =
    "read_write/4K,read_write/8K,read_write/64K,read_write/1M,readv_writev/64K,mmap_write/whole,"
    "sendfile/64K,sendfile/whole,splice/64K,splice/1M,io_uring_read_write/64K,async_hop";
constexpr std::string_view kDefaultBuffers = "4K,64K,1M";

// --- What to run -------------------------------------------------------------------------

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin) parts.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

transfers::BufferSize parse_buffer(const std::string& text) {
  if (text == "whole") return transfers::kWholeSource;
  return {size_option("--buffers", text)};
}

std::string size_name(std::uint64_t bytes) {
  constexpr std::pair<std::uint64_t, char> kUnits[] = {
      {1ULL << 30, 'G'}, {1ULL << 20, 'M'}, {1ULL << 10, 'K'}};
  for (const auto& [unit, letter] : kUnits)
    if (bytes >= unit && bytes % unit == 0) return fmt::format("{}{}", bytes / unit, letter);
  return fmt::format("{}", bytes);
}

const transfers::Method& method_named(const std::string& name) {
  if (const transfers::Method* method = transfers::find_method(name)) return *method;
  std::string known;
  for (const transfers::Method* method : transfers::all_methods())
    known += fmt::format("{}{}", known.empty() ? "" : ", ", method->name);
  throw Error(fmt::format("--methods: unknown method '{}'; there are {}", name, known), kExitUsage);
}

Cell make_cell(const transfers::Method& method, transfers::BufferSize buffer) {
  Cell cell;
  cell.method = &method;
  cell.buffer = buffer;
  MethodResult& result = cell.result;
  result.method = method.name;
  if (method.needs.fixed_buffer_bytes != 0) {
    result.buffer_bytes = method.needs.fixed_buffer_bytes;
    result.buffer = size_name(method.needs.fixed_buffer_bytes);
  } else if (method.needs.takes_buffer_size) {
    result.buffer_bytes = buffer.bytes;
    result.buffer = buffer.bytes ? size_name(*buffer.bytes) : "whole";
  }
  result.label = result.buffer == "-" ? result.method : result.method + "/" + result.buffer;
  return cell;
}

// METHOD, or METHOD/BUFFER; a plain method takes every buffer size, once if it has none.
std::vector<Cell> make_cells(const CompareOptions& options) {
  const bool chosen = !options.methods.empty() || !options.buffers.empty();
  std::string names = options.methods;
  if (!chosen) names = kDefaultRows;
  if (names.empty()) names = "read_write,sendfile,splice";
  if (names == "all") {
    names.clear();
    for (const transfers::Method* method : transfers::all_methods())
      names += fmt::format("{},", method->name);
  }
  const auto buffers = split(options.buffers.empty() ? kDefaultBuffers : options.buffers);
  std::vector<Cell> cells;
  const auto add = [&](Cell cell) {
    const bool known = std::any_of(cells.begin(), cells.end(), [&](const Cell& other) {
      return other.result.label == cell.result.label;
    });
    if (!known) cells.push_back(std::move(cell));
  };
  for (const std::string& name : split(names)) {
    const auto slash = name.find('/');
    const transfers::Method& method = method_named(name.substr(0, slash));
    if (slash != std::string::npos)
      add(make_cell(method, parse_buffer(name.substr(slash + 1))));
    else
      for (const std::string& buffer : buffers) add(make_cell(method, parse_buffer(buffer)));
  }
  if (cells.empty()) throw Error("--methods: no method given", kExitUsage);
  return cells;
}

// A row for each daemon, if there are any: METHOD/BUFFER/splice-on.
std::vector<Cell> for_each_daemon(const std::vector<Cell>& cells, const RoutePlan& plan) {
  if (plan.splice.empty()) return cells;
  std::vector<Cell> all;
  for (const Cell& cell : cells) {
    for (const bool splice : plan.splice) {
      Cell& added = all.emplace_back(cell);
      added.result.label += splice ? "/splice-on" : "/splice-off";
      added.result.daemon.emplace().splice = splice;
    }
  }
  return all;
}

// Each cell the route of its daemon.
void take_routes(std::vector<Cell>& cells, const Routes& routes) {
  for (Cell& cell : cells)
    for (const Route& route : routes.all())
      if (route.daemon == nullptr || route.daemon->splice() == cell.result.daemon->splice)
        cell.route = &route;
}

// --- Being told to stop ------------------------------------------------------------------

volatile sig_atomic_t stop_signal = 0;

// The first signal ends after the run that is under way, the second at once; nothing needs to
// be cleaned up, for files have no names and children die with their maker. A child that
// inherited the handler ends at once.
void note_signal(int signal) {
  static const pid_t owner = ::getpid();
  if (stop_signal != 0 || ::getpid() != owner) ::_exit(128 + signal);
  stop_signal = signal;
}

void watch_signals() {
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

struct Stopped {};

void stop_if_told() {
  if (stop_signal != 0) throw Stopped();
}

// --- Running -----------------------------------------------------------------------------

class Comparer {
 public:
  Comparer(const CompareOptions& options, std::vector<Cell> cells, const Routes& routes)
      : options_(options),
        cells_(std::move(cells)),
        progress_(cells_.size() * (std::max(options.warmup, 1U) + options.runs + 1)) {
    base_.cold = options.cold;
    base_.drain_read_bytes = size_option("--drain-read", options.drain_read);
    base_.drain_splice = options.drain == "splice";
    take_routes(cells_, routes);
    for (const Route& route : routes.all())
      if (route.daemon != nullptr) daemons_.push_back(route.daemon->pid());
  }

  // Throws Stopped; what was found until then stays valid.
  void run() {
    warm_up();
    for (unsigned round = 0; round < options_.runs; round++)
      for (Cell& cell : cells_) time(cell, round);
    count();
  }

  std::vector<MethodResult> results() {
    std::vector<MethodResult> results;
    for (Cell& cell : cells_) {
      if (!cell.user_ns.empty()) {
        cell.result.user_ns = statistics_of(cell.user_ns).median;
        cell.result.system_ns = statistics_of(cell.system_ns).median;
      }
      if (!cell.daemon_user_ns.empty()) {
        cell.result.daemon->user_ns = statistics_of(cell.daemon_user_ns).median;
        cell.result.daemon->system_ns = statistics_of(cell.daemon_system_ns).median;
      }
      results.push_back(cell.result);
    }
    return results;
  }

  const Completeness& completeness() const { return completeness_; }

 private:
  static void require_daemon(const Cell& cell) {
    if (cell.route->daemon != nullptr) cell.route->daemon->require_alive();
  }

  static bool alive(const Cell& cell) { return cell.result.supported && !cell.result.error; }

  transfers::TransferResult once(Cell& cell, const transfers::TransferOptions& run_options) {
    stop_if_told();
    try {
      transfers::TransferResult outcome = transfers::run_once(
          *cell.method, cell.buffer, *cell.route->source, cell.route->sink, run_options);
      stop_if_told();
      if (outcome.error) {
        require_daemon(cell);
        cell.result.error = outcome.error->text;
      }
      return outcome;
    } catch (const transfers::SetupError& error) {
      require_daemon(cell);
      cell.result.error = error.what();
      return {};
    }
  }

  // The first run of each is never timed: it says whether the method is legal on this pair,
  // and compares checksums.
  void warm_up() {
    transfers::TransferOptions verifying = base_;
    verifying.verify = true;
    for (Cell& cell : cells_) {
      progress_.step("verifying " + cell.result.label);
      const transfers::TransferResult outcome = once(cell, verifying);
      if (cell.result.error) {
        cell.result.supported = false;
        continue;
      }
      cell.result.bytes = outcome.moved_bytes;
      cell.result.verified = outcome.checksum_ok;
    }
    for (unsigned round = 1; round < options_.warmup; round++)
      for (Cell& cell : cells_) {
        progress_.step("warming up " + cell.result.label);
        if (alive(cell)) once(cell, base_);
      }
  }

  void time(Cell& cell, unsigned round) {
    progress_.step(fmt::format("round {}/{} {}", round + 1, options_.runs, cell.result.label));
    if (!alive(cell)) return;
    transfers::TransferOptions timing = base_;
    DaemonMeter meter;
    if (FuseDaemon* const daemon = cell.route->daemon) {
      timing.before_move = [&meter, daemon] {
        daemon->settle_whole();
        meter = daemon->meter();
      };
      timing.after_move = [&meter, daemon] {
        daemon->settle();
        DaemonMeter used = daemon->meter();
        used -= meter;
        meter = used;
      };
    }
    const transfers::TransferResult outcome = once(cell, timing);
    if (cell.result.error) return;
    if (cell.route->daemon != nullptr) {
      cell.daemon_user_ns.push_back(static_cast<double>(meter.user_ns));
      cell.daemon_system_ns.push_back(static_cast<double>(meter.system_ns));
    }
    cell.result.wall_ns.push_back(static_cast<double>(outcome.wall_ns));
    cell.user_ns.push_back(static_cast<double>(outcome.user_ns));
    cell.system_ns.push_back(static_cast<double>(outcome.system_ns));
    cell.result.notifications = outcome.notifications;
    cell.result.copied_notifications = outcome.copied_notifications;
  }

  static void open_window(void* window) { *static_cast<volatile std::uint32_t*>(window) = 1; }
  static void close_window(void* window) { *static_cast<volatile std::uint32_t*>(window) = 0; }

  void count() {
    SessionOptions session_options;
    session_options.probes.windowed = true;
    session_options.syscalls = "%all";
    Session session(session_options);
    // A daemon's calls begin before the window and end in it: what it does is the difference of
    // two readings, each while it waits for requests.
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
    for (Cell& cell : cells_) {
      progress_.step("counting " + cell.result.label);
      if (!alive(cell)) continue;
      DaemonResult daemon;
      if (cell.route->daemon != nullptr)
        count_daemon(*cell.route->daemon, *daemon_session, daemon, counting);
      const transfers::TransferResult outcome = once(cell, counting);
      *session.window() = 0;  // a child that was killed has left it open
      session.poll_until_gone(child, std::chrono::milliseconds(500));
      if (cell.result.error) continue;
      cell.result.counts = session.process(child);
      cell.result.counts.minor_faults = outcome.minor_faults;
      cell.result.counts.major_faults = outcome.major_faults;
      cell.result.observed_wall_ns = static_cast<double>(outcome.wall_ns);
      if (cell.result.daemon) {
        cell.result.daemon->counts = daemon.counts;
        cell.result.daemon->usage = daemon.usage;
      }
    }
    completeness_ = session.completeness();
    if (daemon_session) add_losses(daemon_session->completeness());
  }

  // Has `counted` filled by the run that `counting` is for.
  static void count_daemon(FuseDaemon& daemon, Session& session, DaemonResult& counted,
                           transfers::TransferOptions& counting) {
    const auto read = [&daemon, &session] {
      session.poll();
      return session.process(daemon.pid());
    };
    counting.before_move = [&, read] {
      daemon.settle_whole();
      counted.usage = daemon.meter().usage;
      counted.counts = read();
    };
    counting.after_move = [&, read] {
      daemon.settle();
      counted.counts = difference(read(), counted.counts);
      fuse::Usage usage = daemon.meter().usage;  // after the reading, for this makes it work
      usage -= counted.usage;
      counted.usage = usage;
    };
  }

  // The calls in flight when the daemons were attached to are none of any transfer's.
  void add_losses(const Completeness& daemons) {
    for (const auto& [reason, count] : daemons.lost_by_reason)
      completeness_.lost_by_reason[reason] += count;
    completeness_.compat_syscalls += daemons.compat_syscalls;
    completeness_.unfollowed_tasks += daemons.unfollowed_tasks;
  }

  const CompareOptions& options_;
  std::vector<Cell> cells_;
  std::vector<pid_t> daemons_;
  transfers::TransferOptions base_;
  Progress progress_;
  Completeness completeness_;
};

void sort_results(std::vector<MethodResult>& results, const std::string& by) {
  if (by.empty()) return;
  const auto key = [&](const MethodResult& result) -> double {
    if (!result.timed()) return 1e300;
    if (by == "time") return statistics_of(result.wall_ns).median;
    const DaemonResult daemon = result.daemon.value_or(DaemonResult());
    if (by == "cpu") return result.user_ns + result.system_ns + daemon.user_ns + daemon.system_ns;
    if (by == "syscalls")
      return static_cast<double>(result.counts.syscalls() + daemon.counts.syscalls());
    return static_cast<double>(
        result.counts.voluntary_switches() + result.counts.involuntary_switches() +
        daemon.counts.voluntary_switches() + daemon.counts.involuntary_switches());
  };
  std::stable_sort(results.begin(), results.end(),
                   [&](const MethodResult& a, const MethodResult& b) { return key(a) < key(b); });
}

// A row's label, as METHOD/BUFFER, which with several daemons is the first one's; the first row
// that worked when none is named.
std::string choose_baseline(const std::string& asked, const std::vector<Cell>& cells) {
  if (asked.empty()) return "";
  for (const Cell& cell : cells) {
    const std::string& label = cell.result.label;
    if (label == asked || (cell.result.daemon && label.starts_with(asked + "/splice-o")))
      return label;
  }
  throw Error("--baseline: no row '" + asked + "' is compared", kExitUsage);
}

int compare(const CompareOptions& options) {
  const RoutePlan plan = plan_route(options.route);
  std::vector<Cell> cells = for_each_daemon(make_cells(options), plan);
  std::string baseline = choose_baseline(options.baseline, cells);
  size_option("--drain-read", options.drain_read);
  require_observation();
  Outputs outputs(options.output, STDOUT_FILENO);
  watch_signals();

  Comparison comparison;
  comparison.host = this_host();
  comparison.argv = own_command_line();
  comparison.started_at = now_rfc3339();
  const auto start = steady_clock::now();
  const Routes routes(plan);
  const transfers::Source& source = routes.source();
  comparison.source_kind = plan.source_kind;
  comparison.source_path = source.path();
  comparison.source_filesystem = source.filesystem();
  comparison.source_bytes = source.bytes();
  comparison.sink_kind = plan.sink_kind;
  comparison.runs = options.runs;
  comparison.cold = options.cold;
  comparison.fuse = !plan.splice.empty();
  comparison.drain = !plan.has_reader() ? "no reader"
                     : options.drain == "splice"
                         ? "a reader that splices to /dev/null"
                         : "a reader with " + options.drain_read + " a read";
  bool stopped = false;
  {
    Comparer comparer(options, std::move(cells), routes);
    try {
      comparer.run();
    } catch (const Stopped&) {
      stopped = true;
    }
    comparison.methods = comparer.results();
    comparison.completeness = comparer.completeness();
  }
  if (stopped) return 128 + stop_signal;
  if (baseline.empty())
    for (const MethodResult& result : comparison.methods)
      if (result.timed() && baseline.empty()) baseline = result.label;
  comparison.baseline = baseline;
  sort_results(comparison.methods, options.sort);
  comparison.duration_ns = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now() - start).count());

  outputs.write({[&] { return compare_table(comparison, outputs.style()); },
                 [&] { return compare_json(comparison).dump(2) + "\n"; },
                 [&] { return compare_csv(comparison); },
                 [&] { return compare_markdown(comparison); }});
  const bool any = std::any_of(comparison.methods.begin(), comparison.methods.end(),
                               [](const MethodResult& result) { return result.timed(); });
  if (!any) return kExitFailed;
  return options.output.strict && comparison.completeness.lost_events() != 0 ? kExitLost
                                                                             : kExitDone;
}

}  // namespace

void add_compare_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare", "Measure the transfer methods against each other, counts beside timings");
  std::string methods = "\nMethods:\n";
  for (const transfers::Method* method : transfers::all_methods())
    methods += fmt::format("  {:<20} {}\n", method->name, method->summary);
  command->footer("Usage: zctrace compare [OPTIONS]\n" + methods);
  command
      ->add_option("--from", options->route.from,
                   "disk, tmpfs or fuse (a file is made), or the path of a file")
      ->type_name("SOURCE")
      ->capture_default_str();
  command
      ->add_option("--to", options->route.to,
                   "unix, tcp, file, file:other-fs, file:DIR, fuse, pipe, pipe:1M, null")
      ->type_name("SINK")
      ->capture_default_str();
  command
      ->add_option("--fuse-splice", options->route.fuse_splice,
                   "Whether the FUSE daemon splices or copies: on, off, both (a row for each)")
      ->check(CLI::IsMember({"on", "off", "both"}))
      ->type_name("WHICH");
  command->add_option("--size", options->route.size, "Size of the file that is made")
      ->type_name("SIZE")
      ->capture_default_str();
  command->add_option("--methods", options->methods, "METHOD or METHOD/BUFFER, with commas; all")
      ->type_name("LIST");
  command->add_option("--buffers", options->buffers, "Sizes for each method, with commas; whole")
      ->type_name("LIST");
  command->add_option("--runs", options->runs, "Timed runs of each")
      ->check(CLI::Range(1U, 10000U))
      ->capture_default_str();
  command->add_option("--warmup", options->warmup, "Runs before those; the first one verifies")
      ->check(CLI::Range(0U, 10000U))
      ->capture_default_str();
  command->add_option("--drain-read", options->drain_read, "What the reader asks for a read")
      ->type_name("SIZE")
      ->capture_default_str();
  command->add_option("--drain", options->drain, "How the reader takes the bytes: read or splice")
      ->check(CLI::IsMember({"read", "splice"}))
      ->capture_default_str();
  command->add_option("--baseline", options->baseline, "The row that ratios refer to (the first)")
      ->type_name("METHOD/BUFFER");
  command->add_option("--sort", options->sort, "time, cpu, syscalls or switches (as given)")
      ->check(CLI::IsMember({"time", "cpu", "syscalls", "switches"}));
  command->add_flag("--cold", options->cold, "Drop the source from the page cache before each run");
  add_file_options(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return compare(*options); }; });
}

}  // namespace zctrace
