// SPDX-License-Identifier: MIT
// Refuses what cannot work before anything runs.
#include "cli/compare/programs/program_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "cli/text/printable.h"
#include "collector/os/error.h"
#include "transfers/external/program_run.h"

namespace zctrace {
namespace {

using transfers::Program;
using transfers::SinkKind;

// Of a command that has no name of its own.
constexpr std::size_t kNameColumns = 40;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(fmt::format("--program {}: {}", name, why), kExitUsage);
}

Program parse_program(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (equals == std::string::npos || name.empty() ||
      name.find_first_of("/, \t\n\"'") != std::string::npos)
    throw Error("--program: '" + text + "' does not begin with NAME=, such as 'cat=cat {source}'",
                kExitUsage);
  if (transfers::find_method(name) != nullptr)
    refuse(name, "is the name of a method; choose another");
  try {
    return {name, transfers::split_words(text.substr(equals + 1))};
  } catch (const std::invalid_argument& error) {
    refuse(name, error.what());
  }
}

void require_known_placeholders(const Program& program, const RoutePlan& route) {
  const std::vector<std::string> known = transfers::known_placeholders(route.sink.kind);
  std::string list;
  for (const std::string& name : known)
    list += fmt::format("{}{{{}}}", list.empty() ? "" : ", ", name);
  for (const std::string& name : transfers::placeholders_in(program.words)) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const bool of_tcp = name == "host" || name == "port";
    refuse(program.name, of_tcp ? fmt::format("{{{}}} needs --to tcp", name)
                                : fmt::format("unknown placeholder {{{0}}}; there are {1}; write "
                                              "{{{{{0}}}}} for the text {{{0}}}",
                                              name, list));
  }
}

void require_way_to_sink(const Program& program, const RoutePlan& route) {
  const bool socket = transfers::contains(transfers::kSocketSinks, route.sink.kind);
  if (!socket || program.uses("sink") || program.uses("port")) return;
  refuse(program.name, route.sink.kind == SinkKind::tcp
                           ? "the command has neither {port} nor {sink}, so it cannot connect"
                           : "the command has no {sink}, so it cannot connect");
}

PlannedRow row_of(const std::shared_ptr<const Program>& program) {
  PlannedRow row;
  row.program = program;
  row.label = program->name;
  return row;
}

}  // namespace

std::vector<PlannedRow> plan_programs(const std::vector<std::string>& programs,
                                      const std::vector<NamedBuffer>& buffers,
                                      const RoutePlan& route) {
  if (!programs.empty() && !route.fuse_modes.empty())
    throw Error("--program: cannot be measured from or to fuse", kExitUsage);
  std::vector<PlannedRow> rows;
  for (const std::string& text : programs) {
    const auto program = std::make_shared<const Program>(parse_program(text));
    require_known_placeholders(*program, route);
    require_way_to_sink(*program, route);
    for (const PlannedRow& other : rows)
      if (other.program->name == program->name) refuse(program->name, "the name is given twice");
    if (!program->uses("buffer")) {
      rows.push_back(row_of(program));
      continue;
    }
    for (const NamedBuffer& buffer : buffers) {
      PlannedRow& row = rows.emplace_back(row_of(program));
      row.buffer = buffer.size;
      row.buffer_bytes = buffer.size.bytes;
      row.buffer_name = buffer.name;
      row.label += "/" + buffer.name;
    }
  }
  return rows;
}

std::vector<PlannedRow> plan_commands(const std::vector<std::string>& words) {
  std::vector<Program> commands(1);
  for (const std::string& word : words) {
    if (word == kBetweenCommands)
      commands.emplace_back();
    else
      commands.back().words.push_back(word);
  }
  std::vector<PlannedRow> rows;
  for (Program& command : commands) {
    if (command.words.empty())
      throw Error("a command is empty; give them as CMD1 ::: CMD2", kExitUsage);
    command.has_placeholders = false;
    const std::string name = cut_to_width(shell_words(command.words, true), kNameColumns, true);
    std::size_t same = 1;
    for (const PlannedRow& row : rows) same += row.program->name.starts_with(name);
    command.name = same == 1 ? name : fmt::format("{} ({})", name, same);
    rows.push_back(row_of(std::make_shared<const Program>(std::move(command))));
  }
  if (rows.size() < 2)
    throw Error(
        "one command is nothing to compare; give two or more as CMD1 ::: CMD2, or use "
        "'zctrace run'",
        kExitUsage);
  return rows;
}

}  // namespace zctrace
