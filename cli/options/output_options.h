// SPDX-License-Identifier: MIT
// How to show the report, and where it goes.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "cli/views/report/channel_table.h"
#include "cli/views/wording.h"

namespace zctrace {

struct OutputOptions {
  std::string json;
  std::string csv;
  std::string markdown;
  std::string stacks;        // where the command has it
  std::string stacks_every;  // "": the default
  std::string html;
  std::string by;
  bool quiet = false;
  bool strict = false;
  std::size_t max_processes = 1000;
  ChannelLimits channels;
};

void add_output_options(CLI::App& command, OutputOptions& options);
// Only --by.
void add_by_option(CLI::App& command, OutputOptions& options);
// The same without --by, for a report that does not list syscalls.
void add_file_options(CLI::App& command, OutputOptions& options);
// For commands whose report can be a page.
void add_html_option(CLI::App& command, OutputOptions& options);
// For commands that observe processes until an end.
void add_stack_options(CLI::App& command, OutputOptions& options);
// For what is neither rows nor an observation: --json, --markdown and -q.
void add_json_and_markdown_options(CLI::App& command, OutputOptions& options);

std::optional<GroupBy> group_by(const OutputOptions& options);

}  // namespace zctrace
