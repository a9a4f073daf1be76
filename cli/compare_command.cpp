// `zctrace compare`: every method over the same source and sink, timed without probes in
// interleaved rounds, then counted with probes in a pass of its own.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include <fmt/format.h>

#include "cli/action.h"
#include "cli/comparison.h"
#include "cli/compare_view.h"
#include "cli/host.h"
#include "cli/output_options.h"
#include "cli/progress.h"
#include "cli/table_view.h"
#include "cli/units.h"
#include "collector/error.h"
#include "collector/preflight.h"
#include "collector/session.h"
#include "transfers/method.h"
#include "transfers/run.h"
#include "transfers/source.h"

namespace zctrace {
namespace {

using std::chrono::steady_clock;

struct CompareOptions {
  std::string from = "disk";
  std::string to = "unix";
  std::string size = "256M";
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
  std::vector<double> user_ns;
  std::vector<double> system_ns;
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

std::uint64_t size_option(const char* option, const std::string& text) {
  try {
    const std::uint64_t bytes = parse_size(text);
    if (bytes == 0) throw std::invalid_argument("must be at least 1");
    return bytes;
  } catch (const std::invalid_argument& error) {
    throw Error(fmt::format("{} {}: {}", option, text, error.what()), kExitUsage);
  }
}

transfers::BufferSize parse_buffer(const std::string& text) {
  if (text == "whole") return transfers::kWholeSource;
  return {size_option("--buffers", text)};
}

std::string size_name(std::uint64_t bytes) {
  constexpr std::pair<std::uint64_t, char> kUnits[] = {{1ULL << 30, 'G'}, {1ULL << 20, 'M'}, {1ULL << 10, 'K'}};
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
  Cell cell{&method, buffer, {}, {}, {}};
  cell.result.method = method.name;
  if (method.needs.fixed_buffer_bytes != 0) {
    cell.result.buffer_bytes = method.needs.fixed_buffer_bytes;
    cell.result.label = fmt::format("{}/{}", method.name, size_name(method.needs.fixed_buffer_bytes));
  } else if (!method.needs.takes_buffer_size) {
    cell.result.label = method.name;
  } else {
    cell.result.buffer_bytes = buffer.bytes;
    cell.result.label = fmt::format("{}/{}", method.name, buffer.bytes ? size_name(*buffer.bytes) : "whole");
  }
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

transfers::Source make_source(const CompareOptions& options) {
  if (options.from == "disk" || options.from == "tmpfs") {
    const std::uint64_t bytes = size_option("--size", options.size);
    return transfers::Source::make(
        options.from == "disk" ? transfers::kDiskDirectory : transfers::kTmpfsDirectory, bytes);
  }
  return transfers::Source::open_path(options.from);
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
  Comparer(const CompareOptions& options, std::vector<Cell> cells, const transfers::Source& source,
           const transfers::SinkSpec& sink)
      : options_(options),
        cells_(std::move(cells)),
        source_(source),
        sink_(sink),
        progress_(cells_.size() * (std::max(options.warmup, 1U) + options.runs + 1)) {
    base_.cold = options.cold;
    base_.drain_read_bytes = size_option("--drain-read", options.drain_read);
    base_.drain_splice = options.drain == "splice";
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
      results.push_back(cell.result);
    }
    return results;
  }

  const Completeness& completeness() const { return completeness_; }

 private:
  static bool alive(const Cell& cell) { return cell.result.supported && !cell.result.error; }

  transfers::Outcome once(Cell& cell, const transfers::RunOptions& run_options) {
    stop_if_told();
    try {
      transfers::Outcome outcome =
          transfers::run_once(*cell.method, cell.buffer, source_, sink_, run_options);
      stop_if_told();
      if (outcome.error) cell.result.error = outcome.error->text;
      return outcome;
    } catch (const transfers::SetupError& error) {
      cell.result.error = error.what();
      return {};
    }
  }

  // The first run of each is never timed: it says whether the method is legal on this pair,
  // and compares checksums.
  void warm_up() {
    transfers::RunOptions verifying = base_;
    verifying.verify = true;
    for (Cell& cell : cells_) {
      progress_.step("verifying " + cell.result.label);
      const transfers::Outcome outcome = once(cell, verifying);
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
    const transfers::Outcome outcome = once(cell, base_);
    if (cell.result.error) return;
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
    pid_t child = 0;
    transfers::RunOptions counting = base_;
    counting.before_release = [&](pid_t pid) { session.observe(child = pid); };
    counting.window_open = open_window;
    counting.window_close = close_window;
    counting.window_context = const_cast<std::uint32_t*>(session.window());
    for (Cell& cell : cells_) {
      progress_.step("counting " + cell.result.label);
      if (!alive(cell)) continue;
      const transfers::Outcome outcome = once(cell, counting);
      *session.window() = 0;  // a child that was killed has left it open
      session.poll_until_gone(child, std::chrono::milliseconds(500));
      if (cell.result.error) continue;
      cell.result.counts = session.process(child);
      cell.result.counts.minor_faults = outcome.minor_faults;
      cell.result.counts.major_faults = outcome.major_faults;
      cell.result.observed_wall_ns = static_cast<double>(outcome.wall_ns);
    }
    completeness_ = session.completeness();
  }

  const CompareOptions& options_;
  std::vector<Cell> cells_;
  const transfers::Source& source_;
  const transfers::SinkSpec& sink_;
  transfers::RunOptions base_;
  Progress progress_;
  Completeness completeness_;
};

void sort_results(std::vector<MethodResult>& results, const std::string& by) {
  if (by.empty()) return;
  const auto key = [&](const MethodResult& result) -> double {
    if (!result.timed()) return 1e300;
    if (by == "time") return statistics_of(result.wall_ns).median;
    if (by == "cpu") return result.user_ns + result.system_ns;
    if (by == "syscalls") return static_cast<double>(result.counts.syscalls());
    return static_cast<double>(result.counts.voluntary_switches() +
                               result.counts.involuntary_switches());
  };
  std::stable_sort(results.begin(), results.end(), [&](const MethodResult& a, const MethodResult& b) {
    return key(a) < key(b);
  });
}

// A row's label, as METHOD/BUFFER; the first row that worked when none is named.
std::string choose_baseline(const std::string& asked, const std::vector<Cell>& cells) {
  if (asked.empty()) return "";
  for (const Cell& cell : cells)
    if (cell.result.label == asked) return asked;
  throw Error("--baseline: no row '" + asked + "' is compared", kExitUsage);
}

int compare(const CompareOptions& options) {
  std::vector<Cell> cells = make_cells(options);
  std::string baseline = choose_baseline(options.baseline, cells);
  const auto sink = transfers::parse_sink(options.to);
  if (!sink)
    throw Error("--to '" + options.to +
                    "': give unix, tcp, file, file:other-fs, file:DIR, pipe, pipe:1M or null",
                kExitUsage);
  size_option("--drain-read", options.drain_read);
  require_observation();
  Outputs outputs(options.output, STDOUT_FILENO);
  watch_signals();

  Comparison comparison;
  comparison.host = this_host();
  comparison.argv = own_command_line();
  comparison.started_at = now_rfc3339();
  const auto start = steady_clock::now();
  const transfers::Source source = make_source(options);
  comparison.source_kind = options.from == "disk" || options.from == "tmpfs" ? options.from : "file";
  comparison.source_path = source.path();
  comparison.source_filesystem = source.filesystem();
  comparison.source_bytes = source.bytes();
  comparison.sink_kind = transfers::sink_name(*sink);
  comparison.runs = options.runs;
  comparison.cold = options.cold;
  comparison.drain = sink->kind == transfers::SinkKind::file || sink->kind == transfers::SinkKind::file_other_fs ||
                             sink->kind == transfers::SinkKind::null
                         ? "no reader"
                     : options.drain == "splice" ? "a reader that splices to /dev/null"
                                                 : "a reader with " + options.drain_read + " a read";
  bool stopped = false;
  {
    Comparer comparer(options, std::move(cells), source, *sink);
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
  return options.output.strict && comparison.completeness.lost_events() != 0 ? kExitLost : kExitDone;
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
  command->add_option("--from", options->from, "disk or tmpfs (a file is made), or the path of a file")
      ->type_name("SOURCE")->capture_default_str();
  command->add_option("--to", options->to, "unix, tcp, file, file:other-fs, file:DIR, pipe, pipe:1M, null")
      ->type_name("SINK")->capture_default_str();
  command->add_option("--size", options->size, "Size of the file that is made")
      ->type_name("SIZE")->capture_default_str();
  command->add_option("--methods", options->methods, "METHOD or METHOD/BUFFER, with commas; all")
      ->type_name("LIST");
  command->add_option("--buffers", options->buffers, "Sizes for each method, with commas; whole")
      ->type_name("LIST");
  command->add_option("--runs", options->runs, "Timed runs of each")
      ->check(CLI::Range(1U, 10000U))->capture_default_str();
  command->add_option("--warmup", options->warmup, "Runs before those; the first one verifies")
      ->check(CLI::Range(0U, 10000U))->capture_default_str();
  command->add_option("--drain-read", options->drain_read, "What the reader asks for a read")
      ->type_name("SIZE")->capture_default_str();
  command->add_option("--drain", options->drain, "How the reader takes the bytes: read or splice")
      ->check(CLI::IsMember({"read", "splice"}))->capture_default_str();
  command->add_option("--baseline", options->baseline, "The row that ratios refer to (the first)")
      ->type_name("METHOD/BUFFER");
  command->add_option("--sort", options->sort, "time, cpu, syscalls or switches (as given)")
      ->check(CLI::IsMember({"time", "cpu", "syscalls", "switches"}));
  command->add_flag("--cold", options->cold, "Drop the source from the page cache before each run");
  add_file_options(*command, options->output);
  command->callback([options, &chosen] {
    chosen = [options] { return compare(*options); };
  });
}

}  // namespace zctrace
