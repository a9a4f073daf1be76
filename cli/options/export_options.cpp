// SPDX-License-Identifier: MIT
// What is served, and how much of it.
#include "cli/options/export_options.h"

#include <fmt/format.h>

#include <string>

#include "cli/options/output_options.h"
#include "cli/options/validators.h"
#include "cli/views/prometheus/prometheus_view.h"
#include "collector/os/error.h"

namespace zctrace {

void add_export_options(CLI::App& command, ExportOptions& options) {
  constexpr const char* kGroup = "Output";
  add_target_options(command, options.targets);
  add_count_options(command, options.count);
  add_cost_option(command, options.count);
  add_duty_option(command, options.count);
  command
      .add_option("--listen", options.listen,
                  "Serve at this address; with 0.0.0.0 other machines can connect, too")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--max-series", options.max_series,
                  "Serve at most N series; add the rest to name=\"other\"")
      ->check(number_from(Metrics::kLeastSeries, 1'000'000))
      ->type_name("N")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_flag("--by-port", options.channels.ports,
                "Also serve the bytes of sockets, by port of the service")
      ->group(kGroup);
  command
      .add_flag("--by-mount", options.channels.mounts,
                "Also serve the bytes of files, by mounted file system")
      ->group(kGroup);
}

namespace {

// Those that are not of counts.
std::size_t other_series(const ExportOptions& options) {
  return (options.count.cost ? kProgramSeries : 0) + (options.count.duty.empty() ? 0 : kDutySeries);
}

}  // namespace

std::size_t series_of_counts(const ExportOptions& options) {
  return options.max_series - other_series(options);
}

void check_series(const ExportOptions& options) {
  constexpr const char* kExact = "they need every call, and --duty observes slices of the time";
  refuse_with_duty(options.count, options.channels.ports, "--by-port", kExact);
  refuse_with_duty(options.count, options.channels.mounts, "--by-mount", kExact);
  const std::size_t least = Metrics::least_series(options.channels) + other_series(options);
  if (options.max_series >= least) return;
  std::string needed_by;
  const auto add = [&needed_by](bool given, const char* option) {
    if (given) needed_by += (needed_by.empty() ? "" : " and ") + std::string(option);
  };
  add(options.channels.ports, "--by-port");
  add(options.channels.mounts, "--by-mount");
  add(options.count.cost, "--cost");
  add(!options.count.duty.empty(), "--duty");
  throw Error(fmt::format("--max-series {}: must be at least {} with {}", options.max_series, least,
                          needed_by),
              kExitUsage);
}

AttachSessionOptions export_session(const ExportOptions& options, const Targets& targets) {
  SessionOptions session = session_options(options.count, OutputOptions());
  session.commands = false;  // no series shows them
  session.probes.channels = options.channels.ports || options.channels.mounts;
  session.probes.mapped = options.channels.mounts;
  AttachSessionOptions observing = attach_options(options.targets, targets, session);
  observing.duty = duty_share(options.count);
  return observing;
}

}  // namespace zctrace
