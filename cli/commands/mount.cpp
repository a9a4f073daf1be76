// SPDX-License-Identifier: MIT
// `zctrace mount SRC MNT`: an instrumented passthrough of one directory at another.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/help_formatter.h"
#include "cli/options/output_options.h"
#include "cli/options/validators.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/mount_view.h"
#include "collector/fuse/mount/passthrough.h"
#include "collector/fuse/report/fuse_report.h"
#include "collector/fuse/report/mount_session.h"
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

struct MountOptions {
  std::string source;
  std::string target;
  std::optional<nanoseconds> duration;
  std::optional<nanoseconds> interval;
  std::string cache = "auto";
  bool no_splice = false;
  bool observe = false;
  unsigned threads = 0;
  OutputOptions output;
};

// How often the counts of --observe are read; frees the kernel's memory.
constexpr milliseconds kPollInterval(1000);
// What those who still use a detached mount get to finish.
constexpr milliseconds kPatience(2000);

fuse::Cache cache_option(const std::string& text) {
  if (text == "none") return fuse::Cache::none;
  if (text == "always") return fuse::Cache::always;
  return fuse::Cache::automatic;
}

enum class Event { signal, ended, time };

Event wait_until(Signals& signals, const fuse::Passthrough& mount,
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
      if (signals.take().number != 0) return Event::signal;
    }
  }
}

steady_clock::time_point after(steady_clock::time_point start, nanoseconds span) {
  return span == nanoseconds::max() ? steady_clock::time_point::max() : start + span;
}

// One mount's reports: of each interval, or one at the end.
class Reporter {
 public:
  Reporter(const MountOptions& options, const std::optional<fuse::MountSession>& observation)
      : options_(options), observation_(observation), outputs_(options.output, STDOUT_FILENO) {}

  void begin(fuse::Passthrough& mount) {
    threads_ = mount.threads();
    start_ = steady_clock::now();
    started_at_ = now_rfc3339();
    read_ = fuse::take_snapshot(mount, threads_);
    read_.counts = {};  // it serves already
    if (observation_) observed_ = observation_->seen();
  }

  void interval(fuse::Passthrough& mount) {
    const Report report = seen(mount);
    outputs_.write(
        {[&] { return report.started_at + "\n" + mount_table(report, outputs_.style()) + "\n"; },
         [&] { return mount_json(report).dump() + "\n"; },
         [&] { return outputs_.without_repeated_header(mount_csv(report)); },
         [&] { return mount_markdown(report) + "\n"; }});
  }

  void whole(fuse::Passthrough& mount) {
    const Report report = seen(mount);
    outputs_.write({[&] { return mount_table(report, outputs_.style()); },
                    [&] { return mount_json(report).dump(2) + "\n"; },
                    [&] { return mount_csv(report); }, [&] { return mount_markdown(report); }});
  }

  int status() const { return options_.output.strict && lost_ ? kExitLost : kExitDone; }

 private:
  // Since the last time.
  Report seen(fuse::Passthrough& mount) {
    const auto now = steady_clock::now();
    std::string now_text = now_rfc3339();
    fuse::MountSnapshot read = fuse::take_snapshot(mount, threads_);
    Report report = fuse::report_between(read_, read, mount);
    report.host = this_host();
    report.argv = own_command_line();
    report.started_at = std::exchange(started_at_, std::move(now_text));
    report.duration_ns = static_cast<std::uint64_t>(
        std::chrono::duration_cast<nanoseconds>(now - std::exchange(start_, now)).count());
    read_ = std::move(read);
    if (observation_) {
      ObservedCalls observed = observation_->seen();
      report.mount->observed = difference(observed, observed_);
      report.completeness.lost_by_reason.merge(report.mount->observed->lost_by_reason);
      observed_ = std::move(observed);
    }
    lost_ |= report.completeness.lost_events() != 0;
    return report;
  }

  const MountOptions& options_;
  const std::optional<fuse::MountSession>& observation_;
  Outputs outputs_;
  fuse::MountSnapshot read_;
  ObservedCalls observed_;
  steady_clock::time_point start_;
  std::string started_at_;
  std::uint64_t threads_ = 0;
  bool lost_ = false;
};

// Serves until the time is over, a signal comes, or somebody unmounts.
void serve(Signals& signals, fuse::Passthrough& mount,
           std::optional<fuse::MountSession>& observation, Reporter& reporter, nanoseconds duration,
           nanoseconds interval) {
  const auto start = steady_clock::now();
  const auto end = after(start, duration);
  auto next = after(start, interval);
  const auto next_poll = [&observation] {
    return after(steady_clock::now(), observation ? kPollInterval : nanoseconds::max());
  };
  while (wait_until(signals, mount, std::min({end, next, next_poll()})) == Event::time) {
    if (steady_clock::now() >= end) return;
    if (observation) observation->poll(mount.fs().requesters);
    if (steady_clock::now() < next) continue;
    reporter.interval(mount);
    // Late is late: no burst of reports to catch up.
    while (next <= steady_clock::now()) next += interval;
  }
}

// Who finishes in time is not interrupted.
void finish(Signals& signals, fuse::Passthrough& mount) {
  const std::string target = printable(mount.target(), false);
  fuse::Unmounted unmounted = mount.unmount(false);
  if (unmounted == fuse::Unmounted::busy) {
    tell(
        fmt::format("zctrace: '{}' is in use: detached; files that are still open are served for "
                    "{} ms more\n",
                    target, kPatience.count()));
    unmounted = mount.unmount(true);
  }
  if (unmounted == fuse::Unmounted::covered)
    tell(
        fmt::format("zctrace: '{}' stays mounted, without files, below what was mounted over it; "
                    "unmount that, then: fusermount3 -u {}\n",
                    target, target));
  wait_until(signals, mount, steady_clock::now() + kPatience);
  mount.stop();
}

int mount(const MountOptions& options, nanoseconds duration, nanoseconds interval) {
  if (options.observe) require_observation();
  std::optional<fuse::MountSession> observation;
  Reporter reporter(options, observation);
  Signals signals;
  fuse::PassthroughOptions passthrough;
  passthrough.splice = !options.no_splice;
  passthrough.cache = cache_option(options.cache);
  passthrough.threads = options.threads;
  if (options.observe) {
    observation.emplace();
    passthrough.remember_requesters = true;
    passthrough.before_serving = [&observation](const std::vector<pid_t>& threads) {
      observation->serve_with(threads);
    };
    // An ordinary user's mount needs none. Root's threads that serve act for everybody, and keep
    // all; what is dropped below is this thread's.
    if (::geteuid() != 0) drop_capabilities(true);
  }
  fuse::Passthrough mount(options.source, options.target, passthrough);
  if (options.observe && ::geteuid() == 0) drop_capabilities(true, true);
  reporter.begin(mount);
  tell(fmt::format("zctrace: {} is mounted at {}; Ctrl-C unmounts and reports\n",
                   printable(mount.source(), false), printable(mount.target(), false)));

  serve(signals, mount, observation, reporter, duration, interval);
  finish(signals, mount);
  if (observation) observation->finish(mount.fs().requesters);
  if (interval != nanoseconds::max()) {
    reporter.interval(mount);
  } else {
    reporter.whole(mount);
  }
  return reporter.status();
}

}  // namespace

void add_mount_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<MountOptions>();
  CLI::App* command =
      app.add_subcommand("mount", "Mount a directory through a file system that counts");
  command->add_option("source", options->source, "The directory to show")
      ->required()
      ->type_name("SOURCE")
      ->group("Arguments");
  command->add_option("mountpoint", options->target, "The empty directory to show it at")
      ->required()
      ->type_name("MOUNTPOINT")
      ->group("Arguments");
  add_duration_option(*command, "-d,--duration", options->duration,
                      "Unmount after TIME: seconds, or with a unit (e.g. 500ms, 10s, 5m)")
      ->group("When");
  add_duration_option(*command, "-i,--interval", options->interval,
                      "Report every TIME instead of once (e.g. 500ms, 10s)")
      ->group("When");
  command
      ->add_option("--cache", options->cache,
                   "What the kernel caches: none (each read call is a request; no shared writable "
                   "mappings), auto, or always (nothing else may change SOURCE)")
      ->check(one_of({"none", "auto", "always"}))
      ->type_name("WHAT")
      ->capture_default_str()
      ->group("File system");
  command
      ->add_flag("--no-splice", options->no_splice,
                 "Copy data through the daemon's memory instead of splicing it")
      ->group("File system");
  command->add_option("--threads", options->threads, "Serve requests with N threads")
      ->check(number_from(1, 1024))
      ->type_name("N")
      ->group("File system");
  command
      ->add_flag("--observe", options->observe,
                 "Count the syscalls of the applications and of the daemon, too: what a byte costs "
                 "on each side (needs BPF)")
      ->group("What to count");
  add_file_options(*command, options->output);
  set_help(*command,
           {"[OPTIONS] SOURCE MOUNTPOINT",
            {"SOURCE appears at MOUNTPOINT until Ctrl-C, SIGTERM, an unmount, or until TIME is "
             "over. Then it prints the counts, by file and by process. It needs FUSE, but "
             "neither root nor BPF. A mount of root is for every user, any other for its user."},
            {{"Exit status",
              {{"0", "Success"},
               {"1", "Failure"},
               {"2", "Usage error"},
               {"3", "Events were lost (with --strict)"},
               {"77", "This machine or user cannot observe (with --observe)"}}}},
            {{"See which files a program reads, also through mmap", "zctrace mount src /tmp/mnt"},
             {"Report each second, as JSON lines", "zctrace mount -i 1 --json - -q src /tmp/mnt"},
             {"See what FUSE costs each side", "sudo zctrace mount --observe src /tmp/mnt"}}});
  command->callback([options, &chosen] {
    chosen = [options] {
      return mount(*options, options->duration.value_or(nanoseconds::max()),
                   options->interval.value_or(nanoseconds::max()));
    };
  });
}

}  // namespace zctrace
