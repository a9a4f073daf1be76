// SPDX-License-Identifier: MIT
// `zctrace mount SRC MNT`: an instrumented passthrough of one directory at another.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/commands/stuck_threads.h"
#include "cli/options/help_formatter.h"
#include "cli/options/mount_options.h"
#include "cli/options/output_options.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "collector/fuse/report/served_mount.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;

// How long processes that still use a detached mount have to finish.
constexpr milliseconds kPatience(2000);

// A process that finishes in time is not interrupted.
void unmount(fuse::ServedMount& mount, Signals& signals) {
  const std::string target = printable(mount.target(), false);
  const fuse::Unmounted unmounted = mount.unmount();
  if (unmounted == fuse::Unmounted::busy)
    say(fmt::format("'{}' is in use: detached; files that are still open are served for {} ms more",
                    target, kPatience.count()));
  if (unmounted == fuse::Unmounted::covered)
    say(
        fmt::format("'{}' stays mounted, without files, below what was mounted over it; unmount "
                    "that, then: fusermount3 -u {}",
                    target, target));
  mount.stop(signals, kPatience);
}

void say_what_is_not_shown(const std::vector<std::string>& points) {
  constexpr std::size_t kMost = 3;
  if (points.empty()) return;
  std::string names;
  for (std::size_t i = 0; i < std::min(points.size(), kMost); ++i)
    names += (i == 0 ? "" : ", ") + printable(points[i], false);
  if (points.size() > kMost) names += fmt::format(" and {} more", points.size() - kMost);
  say(
      fmt::format("hidden, because it is this mount itself, differs for each reader or is served "
                  "by another user: {}",
                  names));
}

int mount(const MountOptions& options) {
  if (options.interval && !options.output.html.empty())
    throw Error("--html shows one report; leave out -i, or use --json FILE for many", kExitUsage);
  if (options.observe) require_observation();
  Outputs outputs(options.output, STDOUT_FILENO);
  Signals signals;
  fuse::ServedMount mount(served_mount_options(options));
  say(fmt::format("{} is mounted at {}; Ctrl-C unmounts and reports",
                  printable(mount.source(), false), printable(mount.target(), false)));
  say_what_is_not_shown(mount.not_shown());

  bool lost = false;
  const auto report = [&] {
    Report taken = mount.take_interval();
    lost |= taken.completeness.lost_events() != 0;
    return taken;
  };
  EventLoop loop(signals);
  // The end comes first: with an interval that ends at the same time there is one report.
  if (options.duration) loop.at(EventLoop::after(*options.duration), [&] { loop.stop(); });
  mount.watch_in(loop);
  if (options.interval) loop.every(*options.interval, [&] { outputs.write_interval(report()); });
  loop.run();
  unmount(mount, signals);
  if (options.interval)
    outputs.write_interval(report());
  else
    outputs.write(report());
  const int status = options.output.strict && lost ? kExitLost : kExitDone;
  if (mount.has_stuck_threads()) end_with_stuck_threads(mount.source(), status);
  return status;
}

}  // namespace

void add_mount_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<MountOptions>();
  CLI::App* command =
      app.add_subcommand("mount", "Mount a directory through a file system that counts");
  add_mount_options(*command, *options);
  add_file_options(*command, options->output);
  add_html_option(*command, options->output);
  set_help(*command,
           {"[OPTIONS] SOURCE MOUNTPOINT",
            {"SOURCE appears at MOUNTPOINT until Ctrl-C, SIGTERM, an unmount, or until TIME has "
             "passed. Then zctrace prints the counts, by file and by process. It needs FUSE, but "
             "neither root nor BPF. A mount made by root serves every user; any other serves "
             "only the user who made it."},
            {{"Exit status",
              {{"0", "Success"},
               {"1", "Failure"},
               {"2", "Usage error"},
               {"3", "Events were lost (with --strict)"},
               {"77", "This machine or user cannot observe (with --observe)"}}}},
            {{"See which files a program reads, also through mmap", "zctrace mount src /tmp/mnt"},
             {"Report each second, as JSON lines", "zctrace mount -i 1 --json - -q src /tmp/mnt"},
             {"See what FUSE costs each side", "sudo zctrace mount --observe src /tmp/mnt"}}});
  command->callback([options, &chosen] { chosen = [options] { return mount(*options); }; });
}

}  // namespace zctrace
