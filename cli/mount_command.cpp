// `zctrace mount SRC MNT`: an instrumented passthrough of one directory at another.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "cli/action.h"
#include "cli/host.h"
#include "cli/mount_view.h"
#include "cli/output_options.h"
#include "cli/printable.h"
#include "cli/units.h"
#include "collector/error.h"
#include "collector/fuse/fuse_report.h"
#include "collector/fuse/passthrough.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

struct MountOptions {
  std::string source;
  std::string target;
  std::string duration;
  std::string interval;
  std::string cache = "auto";
  bool no_splice = false;
  unsigned threads = 0;
  OutputOptions output;
};

// What those who still use a detached mount get to finish.
constexpr milliseconds kPatience(2000);

nanoseconds duration_option(const char* option, const std::string& text) {
  if (text.empty()) return nanoseconds::max();
  try {
    const std::uint64_t ns = parse_duration(text);
    if (ns == 0) throw std::invalid_argument("must be more than 0");
    return nanoseconds(ns);
  } catch (const std::invalid_argument& error) {
    throw Error(fmt::format("{} {}: {}", option, text, error.what()), kExitUsage);
  }
}

fuse::Cache cache_option(const std::string& text) {
  if (text == "none") return fuse::Cache::none;
  if (text == "always") return fuse::Cache::always;
  return fuse::Cache::automatic;
}

// The signals that end programs, as a descriptor. Blocked before the first thread starts.
class EndSignals {
 public:
  EndSignals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) sigaddset(&wanted, signal);
    ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
    events_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!events_) throw system_error("cannot wait for signals", errno);
    // A report into a closed pipe is an error to tell, not a reason to die of.
    ::signal(SIGPIPE, SIG_IGN);
  }

  int fd() const { return events_.get(); }
  void take() {
    signalfd_siginfo event;
    while (::read(events_.get(), &event, sizeof(event)) == sizeof(event)) {
    }
  }

 private:
  Descriptor events_;
};

enum class Event { signal, ended, time };

Event wait_until(EndSignals& signals, const fuse::Passthrough& mount,
                 steady_clock::time_point deadline) {
  for (;;) {
    int timeout = -1;
    if (deadline != steady_clock::time_point::max()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
      if (left <= 0) return Event::time;
      timeout = static_cast<int>(std::min<long>(left, 1 << 30));
    }
    pollfd events[] = {{signals.fd(), POLLIN, 0}, {mount.ended(), POLLIN, 0}};
    if (::poll(events, 2, timeout) < 0 && errno != EINTR)
      throw system_error("cannot wait for the mount", errno);
    if (events[1].revents != 0) return Event::ended;
    if (events[0].revents != 0) {
      signals.take();
      return Event::signal;
    }
  }
}

steady_clock::time_point after(steady_clock::time_point start, nanoseconds span) {
  return span == nanoseconds::max() ? steady_clock::time_point::max() : start + span;
}

// The counts at the beginning of what is reported: of the mount, or of an interval.
struct Beginning {
  steady_clock::time_point time = steady_clock::now();
  std::string started_at = now_rfc3339();
  fuse::AccountsSnapshot counts;
  fuse::DaemonUse daemon;
};

fuse::FuseReport report_since(const Beginning& beginning, fuse::Passthrough& mount,
                              const MountOptions& options, std::size_t threads) {
  fuse::FuseReport report;
  report.report.command = "mount";
  report.report.host = this_host();
  report.report.argv = {"zctrace", "mount", options.source, options.target};
  report.report.started_at = beginning.started_at;
  report.report.duration_ns = static_cast<std::uint64_t>(
      std::chrono::duration_cast<nanoseconds>(steady_clock::now() - beginning.time).count());
  report.report.completeness.lost_by_reason["uncounted_requests"] = mount.fs().uncounted;
  report.source = mount.source();
  report.mount_point = mount.target();
  report.cache = options.cache;
  report.splice = !options.no_splice;
  report.daemon = fuse::this_daemon(threads);
  report.daemon -= beginning.daemon;
  fuse::AccountsSnapshot counts = mount.fs().accounts.snapshot();
  counts -= beginning.counts;
  fuse::fill_report(report, counts, mount.fs().requesters.processes(), mount.fs().paths);
  return report;
}

void print_table(const fuse::FuseReport& report) {
  write_all(STDOUT_FILENO, mount_table(report, table_style_of(STDOUT_FILENO)), "the report");
}

// Serves until the time is over, a signal comes, or somebody unmounts.
void serve(EndSignals& signals, fuse::Passthrough& mount, const MountOptions& options,
           nanoseconds duration, nanoseconds interval) {
  Beginning last;
  last.daemon = fuse::this_daemon(0);
  const auto end = after(last.time, duration);
  auto next = after(last.time, interval);
  while (wait_until(signals, mount, std::min(end, next)) == Event::time) {
    if (steady_clock::now() >= end) return;
    const fuse::FuseReport report = report_since(last, mount, options, mount.threads());
    if (!options.output.quiet) print_table(report);
    last = Beginning();
    last.counts = mount.fs().accounts.snapshot();
    last.daemon = fuse::this_daemon(0);
    next += interval;
  }
}

// Who finishes in time is not interrupted.
void finish(EndSignals& signals, fuse::Passthrough& mount) {
  if (!mount.unmount(false)) {
    fmt::print(stderr,
               "zctrace: '{}' is in use: detached; files that are still open fail from now on, "
               "or when zctrace has waited {} ms for them\n",
               printable(mount.target(), false), kPatience.count());
    mount.unmount(true);
  }
  wait_until(signals, mount, steady_clock::now() + kPatience);
  mount.stop();
}

int mount(const MountOptions& options) {
  const nanoseconds duration = duration_option("-d", options.duration);
  const nanoseconds interval = duration_option("-i", options.interval);
  OutputFile json(options.output.json);
  OutputFile csv(options.output.csv);
  OutputFile markdown(options.output.markdown);
  EndSignals signals;
  Beginning beginning;
  beginning.daemon = fuse::this_daemon(0);
  fuse::PassthroughOptions passthrough;
  passthrough.splice = !options.no_splice;
  passthrough.cache = cache_option(options.cache);
  passthrough.threads = options.threads;
  fuse::Passthrough mount(options.source, options.target, passthrough);
  const std::size_t threads = mount.threads();
  fmt::print(stderr, "zctrace: {} is mounted at {}; Ctrl-C unmounts and reports\n",
             printable(mount.source(), false), printable(mount.target(), false));

  serve(signals, mount, options, duration, interval);
  finish(signals, mount);
  const fuse::FuseReport report = report_since(beginning, mount, options, threads);
  if (!options.output.quiet) print_table(report);
  if (json.wanted()) json.write(mount_json(report).dump(2) + "\n");
  if (csv.wanted()) csv.write(mount_csv(report));
  if (markdown.wanted()) markdown.write(mount_markdown(report));
  const bool lost = report.report.completeness.lost_events() != 0;
  return options.output.strict && lost ? kExitLost : kExitDone;
}

}  // namespace

void add_mount_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<MountOptions>();
  CLI::App* command =
      app.add_subcommand("mount", "Mount a directory through a file system that counts");
  command->footer(
      "Usage: zctrace mount [OPTIONS] SOURCE MOUNTPOINT\n\n"
      "SOURCE appears at MOUNTPOINT, an empty directory, until Ctrl-C, SIGTERM, the end of -d\n"
      "or an unmount; then follow the counts, by file and by process. Needs neither root nor\n"
      "BPF, only FUSE. As root the mount is for every user, otherwise for oneself.");
  command->add_option("source", options->source, "The directory to show")->required()->type_name("SOURCE");
  command->add_option("mountpoint", options->target, "Where to show it")->required()->type_name("MOUNTPOINT");
  command->add_option("-d,--duration", options->duration, "Unmount after this time")->type_name("TIME");
  command->add_option("-i,--interval", options->interval, "Print the table of each interval as well")
      ->type_name("TIME");
  command->add_option("--cache", options->cache,
                      "What the kernel keeps: none (each read call is a request; no shared "
                      "writable mappings), auto, always (nothing else may change SOURCE)")
      ->check(CLI::IsMember({"none", "auto", "always"}))
      ->type_name("WHAT");
  command->add_flag("--no-splice", options->no_splice, "Copy through the daemon's memory instead");
  command->add_option("--threads", options->threads, "Threads that serve requests")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  add_file_options(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return mount(*options); }; });
}

}  // namespace zctrace
