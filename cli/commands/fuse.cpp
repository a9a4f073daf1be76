// SPDX-License-Identifier: MIT
// `zctrace fuse [MOUNT]`: what FUSE servers are asked, and how long they take, as the kernel sees
// it.
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/fuse_options.h"
#include "cli/options/help_formatter.h"
#include "cli/output/fuse_outputs.h"
#include "cli/output/outputs.h"
#include "cli/output/write.h"
#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/top/fuse_live.h"
#include "cli/top/screen.h"
#include "cli/views/fuse/fuse_view.h"
#include "collector/fusewatch/fuse_watch.h"
#include "collector/observe/preflight.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

using fusewatch::FuseActivity;
using fusewatch::FuseWatch;

std::string watched(const FuseWatch& watch, const FuseOptions& options) {
  if (!options.mount.empty()) return printable(options.mount, false);
  return plural(watch.mounts(), "FUSE mount", "FUSE mounts") + ", and those to come";
}

int watch_fuse(const FuseOptions& options) {
  const fusewatch::FuseWatchOptions watching = fuse_watch_options(options);  // usage errors
  if (options.live) TopScreen::require_terminal();
  require_fuse_watching();
  Outputs outputs(options.output, STDOUT_FILENO);
  Signals signals;
  FuseWatch watch(watching);
  drop_capabilities();
  forbid_new_privileges();
  if (options.live) {
    show_fuse_live(watch, signals,
                   options.interval.value_or(std::chrono::nanoseconds(FuseWatch::kPollInterval)),
                   options.duration);
  } else if (!options.output.quiet) {
    say(fmt::format("watching {}; press Ctrl-C to stop", watched(watch, options)));
  }

  bool lost = false;
  const auto write_interval = [&] {
    const FuseActivity activity = watch.take_interval();
    lost |= !activity.losses.none();
    outputs.write_interval(fuse_interval_views(activity, outputs.style()));
  };
  if (!options.live) {
    EventLoop loop(signals);
    // The end comes first: with an interval that ends at the same time there is one report.
    if (options.duration) loop.at(EventLoop::after(*options.duration), [&] { loop.stop(); });
    loop.every(FuseWatch::kPollInterval, [&] {
      watch.poll();
      if (watch.is_unmounted()) loop.stop();
    });
    if (options.interval) loop.every(*options.interval, write_interval);
    loop.run();
  }
  if (options.interval && !options.live) {
    write_interval();
  } else {
    const FuseActivity activity = watch.activity();
    lost |= !activity.losses.none();
    outputs.write(fuse_views(activity, outputs.style()));
  }
  return options.output.strict && lost ? kExitLost : kExitDone;
}

}  // namespace

void add_fuse_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<FuseOptions>();
  CLI::App* command = app.add_subcommand(
      "fuse", "Watch what FUSE and virtiofs mounts are asked, and how long they take to answer");
  add_fuse_options(*command, *options);
  set_help(
      *command,
      {"[MOUNT] [OPTIONS]",
       {"Counts the requests that the kernel sends to any FUSE or virtiofs file system (sshfs, "
        "s3fs, rclone, virtiofsd, 'zctrace mount'), by operation and by process, until Ctrl-C, "
        "until TIME has passed, or until MOUNT is unmounted. Nothing is sent to the file system "
        "itself. Needs Linux 6.12 or newer."},
       {{"Exit status",
         {{"0", "Success"},
          {"1", "Failure"},
          {"2", "Usage error"},
          {"3", "Events were lost (with --strict)"},
          {"77", "This machine or user cannot watch FUSE; 'zctrace doctor' says why"}}}},
       {{"See what every FUSE mount does in ten seconds", "sudo zctrace fuse -d 10"},
        {"Find out why a mount hangs", "sudo zctrace fuse /mnt/remote --live"},
        {"Report each second, as JSON lines", "sudo zctrace fuse /mnt/remote -i 1 --json - -q"}}});
  command->callback([options, &chosen] {
    chosen = [options] {
      if (!options->json_schema) return watch_fuse(*options);
      write_all(STDOUT_FILENO, std::string(fuse_json_schema()), "to standard output");
      return static_cast<int>(kExitDone);
    };
  });
}

}  // namespace zctrace
