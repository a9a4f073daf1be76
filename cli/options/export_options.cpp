// SPDX-License-Identifier: MIT
// What is served, and how much of it.
#include "cli/options/export_options.h"

#include <fmt/format.h>

#include "cli/options/output_options.h"
#include "cli/options/validators.h"
#include "collector/os/error.h"

namespace zctrace {

void add_export_options(CLI::App& command, ExportOptions& options) {
  constexpr const char* kGroup = "Output";
  add_target_options(command, options.targets);
  add_count_options(command, options.count);
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

void check_series(const ExportOptions& options) {
  const std::size_t least = Metrics::least_series(options.channels);
  if (options.max_series >= least) return;
  const bool both = options.channels.ports && options.channels.mounts;
  throw Error(fmt::format("--max-series {}: must be at least {} with {}", options.max_series, least,
                          both                     ? "--by-port and --by-mount"
                          : options.channels.ports ? "--by-port"
                                                   : "--by-mount"),
              kExitUsage);
}

AttachSessionOptions export_session(const ExportOptions& options, const Targets& targets) {
  SessionOptions session = session_options(options.count, OutputOptions());
  session.commands = false;  // no series shows them
  session.probes.channels = options.channels.ports || options.channels.mounts;
  session.probes.mapped = options.channels.mounts;
  return attach_options(options.targets, targets, session);
}

}  // namespace zctrace
