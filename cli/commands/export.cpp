// SPDX-License-Identifier: MIT
// `zctrace export`: what attach counts, for Prometheus to scrape.
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "cli/commands/action.h"
#include "cli/options/count_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/listen_address.h"
#include "cli/options/output_options.h"
#include "cli/options/target_options.h"
#include "cli/options/validators.h"
#include "cli/output/write.h"
#include "cli/views/metrics.h"
#include "cli/views/prometheus_view.h"
#include "collector/observe/attach_session.h"
#include "collector/observe/owner.h"
#include "collector/observe/preflight.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

struct ExportOptions {
  TargetOptions targets;
  CountOptions count;
  std::string listen = "127.0.0.1:9435";
  std::size_t max_series = 2000;
};

SelfCost self_cost() {
  SelfCost cost;
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  for (const timeval& time : {usage.ru_utime, usage.ru_stime})
    cost.cpu_seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  std::uint64_t size_pages = 0;
  std::uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> size_pages >> resident_pages;
  cost.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return cost;
}

double seconds_since_epoch() {
  return std::chrono::duration<double>(system_clock::now().time_since_epoch()).count();
}

// What the server's threads ask for. They never wait for the kernel side to be read.
class Scraped : public prometheus::Collectable {
 public:
  Scraped(std::size_t max_series, bool latency) : metrics_(max_series, latency) {}

  void add(Report standing) {
    owners_.update(standing.processes);
    metrics_.add(std::move(standing), owners_, seconds_since_epoch(), steady_clock::now());
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    return prometheus_view(metrics_, self_cost());
  }

 private:
  OwnerCache owners_;
  Metrics metrics_;
};

// Serves until the process ends. The threads inherit the caller's signal mask and capabilities:
// call it when both are as wanted.
void listen(const ListenAddress& address, const std::shared_ptr<Scraped>& scraped) {
  std::unique_ptr<prometheus::Exposer> exposer;
  try {
    // More threads than scrapers, and no patience: a client that says nothing holds one of them.
    exposer = std::make_unique<prometheus::Exposer>(
        std::vector<std::string>{"listening_ports", address.text(), "num_threads", "4",
                                 "request_timeout_ms", "5000", "enable_keep_alive", "no"});
  } catch (const std::exception& error) {
    require_free(address);
    throw Error("cannot listen on " + address.text() + ": " +
                (address.is_ipv6
                     ? "the HTTP library here is built without IPv6; give an IPv4 address"
                     : error.what()));
  }
  exposer->RegisterCollectable(scraped);
  ListenAddress bound = address;
  bound.port = static_cast<std::uint16_t>(exposer->GetListeningPorts().at(0));
  tell(fmt::format("zctrace: serving http://{}/metrics\n", bound.text()));
  // Closing it takes up to two seconds: CivetWeb looks that often whether it should stop. Its
  // threads end with the process, and the one that may be serving holds on to what it serves.
  static_cast<void>(exposer.release());
}

int serve(const ExportOptions& options, const Targets& targets, const ListenAddress& address) {
  const SyscallTable selection_check(options.count.syscalls);  // usage errors come first
  require_free(address);
  require_observation();
  AttachSessionOptions observing;
  observing.targets = targets;
  observing.wait = options.targets.wait;
  observing.session = session_options(options.count, OutputOptions());
  Signals signals;
  AttachSession session(observing);
  drop_capabilities(Privilege::inspect_processes);
  const auto scraped = std::make_shared<Scraped>(options.max_series, !options.count.no_latency);
  scraped->add(session.take_counts());
  listen(address, scraped);

  // A scrape shows the latest counts. It goes on after the last target has ended: a server comes
  // back under its name, and the counts of one that does not have yet to be scraped.
  EventLoop loop(signals);
  loop.repeat(session.poll_interval(), [&] {
    session.poll();
    scraped->add(session.take_counts());
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
                   "Serve at this address; 0.0.0.0 serves other machines, too")
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
  set_help(*command,
           {"-p PID | -n GLOB | -G CGROUP | --unit NAME | -a [OPTIONS]",
            {"Serves http://ADDRESS:PORT/metrics until Ctrl-C or SIGTERM, also after all targets "
             "have ended. Targets combine."},
            {{"Exit status",
              {{"0", "Success"},
               {"1", "Failure"},
               {"2", "Usage error"},
               {"77", "This machine or user cannot observe; 'zctrace doctor' says why"}}}},
            {{"Serve the counts of every nginx process", "sudo zctrace export -n nginx"},
             {"Serve those of a service, to other machines, too",
              "sudo zctrace export --unit nginx.service --listen 0.0.0.0:9435"},
             {"Read them once", "curl http://127.0.0.1:9435/metrics"}}});
  command->callback([options, &chosen] {
    if (wants_syscall_list(options->count)) {
      chosen = print_syscall_list;
      return;
    }
    const Targets targets = parse_targets(options->targets, true);
    ListenAddress address;
    try {
      address = parse_listen_address(options->listen);
    } catch (const std::invalid_argument& error) {
      throw Error("--listen: invalid address '" + options->listen + "': " + error.what(),
                  kExitUsage);
    }
    chosen = [options, targets, address] { return serve(*options, targets, address); };
  });
}

}  // namespace zctrace
