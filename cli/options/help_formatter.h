// SPDX-License-Identifier: MIT
// The text of --help: one usage line, options in sections, exit statuses, examples.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace zctrace {

// A titled list of terms and their meanings.
struct HelpList {
  std::string title;
  std::vector<std::pair<std::string, std::string>> entries;
};

struct HelpExample {
  std::string purpose;
  std::string command;
};

// What a command's help says besides its options.
struct HelpText {
  std::string usage;               // what follows the command's name
  std::vector<std::string> about;  // paragraphs
  std::vector<HelpList> lists;
  std::vector<HelpExample> examples;
};

// Gives `command` this help. Call it once, after the command has its options. Options appear under
// the group that they are in; --help comes last.
void set_help(CLI::App& command, HelpText text);

// The help of a command that set_help() was called for. Lines are at most `width` columns wide
// where words allow it.
std::string help_of(const CLI::App& command, std::size_t width);

// What set_help() was called with.
const HelpText& help_text(const CLI::App& command);

// The titles of the option sections in the order of the help, without the hidden one and those
// that have no option.
std::vector<std::string> help_groups(const CLI::App& command);

// The description of an option, with its default.
std::string option_meaning(const CLI::Option& option);

// "Usage: zctrace run [OPTIONS] -- COMMAND [ARGUMENT...]"
std::string usage_line(const CLI::App& command);

}  // namespace zctrace
