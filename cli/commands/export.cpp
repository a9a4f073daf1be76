// SPDX-License-Identifier: MIT
// `zctrace export`: what attach counts, for Prometheus to scrape.
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/export/metrics_server.h"
#include "cli/options/count_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/listen_address.h"
#include "cli/options/output_options.h"
#include "cli/options/target_options.h"
#include "cli/options/validators.h"
#include "cli/output/write.h"
#include "cli/views/metrics.h"
#include "collector/observe/attach_session.h"
#include "collector/observe/preflight.h"
#include "collector/os/error.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

struct ExportOptions {
  TargetOptions targets;
  CountOptions count;
  std::string listen = "127.0.0.1:9435";
  std::size_t max_series = 2000;
};

int serve(const ExportOptions& options, const Targets& targets, const ListenAddress& address) {
  check_syscalls(options.count);  // usage errors come first
  Descriptor listener = listen_on(address);
  require_observation();
  AttachSessionOptions observing =
      attach_options(options.targets, targets, session_options(options.count, OutputOptions()));
  observing.session.commands = false;  // no series shows them
  Signals signals;
  AttachSession session(observing);
  session.drop_privileges();
  MetricsServer server(options.max_series, !options.count.no_latency);
  EventLoop loop(signals);
  const auto read = [&] {
    session.poll();
    server.add(session.take_counts());
  };
  read();
  ListenAddress bound = address;
  bound.port = bound_port(listener);
  server.serve(std::move(listener), loop, read);
  say(fmt::format("serving http://{}/metrics", bound.text()));

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
  add_target_options(*command, options->targets);
  add_count_options(*command, options->count);
  command
      ->add_option("--listen", options->listen,
                   "Serve at this address; with 0.0.0.0 other machines can connect, too")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str()
      ->group("Output");
  command
      ->add_option("--max-series", options->max_series,
                   "Serve at most N series; add the rest to name=\"other\"")
      ->check(number_from(Metrics::kLeastSeries, 1'000'000))
      ->type_name("N")
      ->capture_default_str()
      ->group("Output");
  set_help(
      *command,
      {"-p PID | -n GLOB | -G CGROUP | --unit NAME | -a [OPTIONS]",
       {"Serves http://ADDRESS:PORT/metrics until Ctrl-C or SIGTERM, even after all targets "
        "have ended. Each scrape reads the counts. /healthz answers 200. Targets can be combined."},
       {{"Exit status",
         {{"0", "Success"},
          {"1", "Failure"},
          {"2", "Usage error"},
          {"77", "This machine or user cannot observe; 'zctrace doctor' says why"}}}},
       {{"Serve the counts of every nginx process", "sudo zctrace export -n nginx"},
        {"Serve the counts of a service, to other machines as well",
         "sudo zctrace export --unit nginx.service --listen 0.0.0.0:9435"},
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
