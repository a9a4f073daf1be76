// SPDX-License-Identifier: MIT
// The options of `export`.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

#include "cli/options/count_options.h"
#include "cli/options/target_options.h"
#include "cli/views/prometheus/metrics.h"
#include "collector/observe/attach_session.h"

namespace zctrace {

struct ExportOptions {
  TargetOptions targets;
  CountOptions count;
  std::string listen = "127.0.0.1:9435";
  std::size_t max_series = 2000;
  ChannelsServed channels;
};

void add_export_options(CLI::App& command, ExportOptions& options);

// Throws Error (usage) if --max-series is too few for the others, or if --duty excludes some.
void check_series(const ExportOptions& options);
// How many of them there are for counts: those of --cost and --duty are apart.
std::size_t series_of_counts(const ExportOptions& options);

AttachSessionOptions export_session(const ExportOptions& options, const Targets& targets);

}  // namespace zctrace
