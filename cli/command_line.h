// SPDX-License-Identifier: MIT
// What the user typed, and what it means: the chosen command, or what is wrong.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/commands/action.h"

namespace zctrace {

class CommandLine {
 public:
  // `words` are the arguments, without the program's name.
  explicit CommandLine(std::vector<std::string> words);

  // The action of the chosen command; help and the version are actions, too. Throws Error (usage)
  // that names options as they were typed.
  Action parse();

  // The usage line of the chosen command, or of zctrace if there is none.
  std::string usage() const;
  // The help of a command, of zctrace for "". Throws Error (usage) for an unknown command.
  std::string help(const std::string& command, std::size_t width) const;

 private:
  const CLI::App& chosen_command() const;
  void require_known(const std::string& command) const;
  std::string message(const CLI::ParseError& error) const;
  std::string unexpected() const;
  std::string as_typed(const CLI::Option& option) const;

  std::vector<std::string> words_;  // up to "--"
  Separated separated_;             // what follows it
  CLI::App app_;
  Action chosen_;
  std::string help_topic_;
  bool help_as_json_ = false;
};

}  // namespace zctrace
