// SPDX-License-Identifier: MIT
// `zctrace export`: what attach counts, for Prometheus to scrape.
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/export/metrics_server.h"
#include "cli/options/export_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/listen_address.h"
#include "cli/output/write.h"
#include "collector/observe/attach_session.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

int serve(const ExportOptions& options, const Targets& targets, const ListenAddress& address) {
  check_syscalls(options.count);  // usage errors come first
  check_series(options);
  Descriptor listener = listen_on(address);
  require_observation();
  Signals signals;
  AttachSession session(export_session(options, targets));
  session.drop_privileges();
  MetricsServer server(series_of_counts(options), timing_of(options.count) != Timing::none,
                       options.channels);
  EventLoop loop(signals);
  const auto read = [&] {
    session.poll();
    server.add(session.take_counts());
    if (options.count.cost) server.show_programs(session.cost().programs);
  };
  read();
  ListenAddress bound = address;
  bound.port = bound_port(listener);
  server.serve(std::move(listener), loop, read,
               [&session](Report& report) { session.describe(report); });
  say(fmt::format("serving http://{}/metrics and the page http://{}/", bound.text(), bound.text()));

  session.slice_in(loop);
  // A process that ends between two readings leaves its counts in kernel memory, which is limited,
  // so they are read without a scrape, too. It goes on after the last target has ended. A server
  // may come back under its name, and the last counts of one that does not come back have yet to be
  // scraped.
  loop.repeat(session.poll_interval(), [&] {
    read();
    return session.poll_interval();
  });
  loop.run();
  return kExitDone;
}

}  // namespace

void add_export_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      app.add_subcommand("export", "Serve the counts of running processes to Prometheus");
  add_export_options(*command, *options);
  set_help(
      *command,
      {"-p PID | -n GLOB | -G CGROUP | --unit NAME | -a [OPTIONS]",
       {"Serves http://ADDRESS:PORT/metrics until Ctrl-C or SIGTERM, even after all targets "
        "have ended. Each scrape reads the counts. / is a page that shows them live, /api/report "
        "is its JSON, and /healthz answers 200. Targets can be combined."},
       {{"Exit status",
         {{"0", "Success"},
          {"1", "Failure"},
          {"2", "Usage error"},
          {"77", "This machine or user cannot observe; 'zctrace doctor' says why"}}}},
       {{"Serve the counts of every nginx process", "sudo zctrace export -n nginx"},
        {"Serve the counts of a service, to other machines as well",
         "sudo zctrace export --unit nginx.service --listen 0.0.0.0:9435"},
        {"Serve the bytes of every service by port and by file system",
         "sudo zctrace export -a --by-port --by-mount"},
        {"Read the counts once", "curl http://127.0.0.1:9435/metrics"}}});
  command->callback([options, &chosen] {
    if (wants_syscall_list(options->count)) {
      chosen = print_syscall_list;
      return;
    }
    const Targets targets = parse_targets(options->targets, true);
    const ListenAddress address = parse_listen_option(options->listen);
    chosen = [options, targets, address] { return serve(*options, targets, address); };
  });
}

}  // namespace zctrace
