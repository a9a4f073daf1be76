// SPDX-License-Identifier: MIT
// Reads the list, and looks which of its programs are there.
#include "cli/compare/programs/program_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string_view>

#include "cli/compare/sentences.h"
#include "cli/text/suggestion.h"
#include "collector/os/error.h"
#include "collector/os/split.h"
#include "transfers/external/program.h"

namespace zctrace {
namespace {

namespace fs = std::filesystem;

// One word of a command line, whatever is in it.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

// Name, language with ":PACKAGE" where it needs one, sinks, file, then the command.
ListedProgram parse_line(const std::string& line, const fs::path& directory) {
  ListedProgram program;
  std::string sinks;
  std::string file;
  std::istringstream fields(line);
  fields >> program.name >> program.language >> sinks >> file >> std::ws;
  std::getline(fields, program.command);
  if (program.command.empty())
    throw Error("the list of programs has a line that is not whole: " + line);
  if (const auto colon = program.language.find(':'); colon != std::string::npos) {
    program.package = program.language.substr(colon + 1);
    program.language.resize(colon);
  }
  for (const std::string_view sink : split_list(sinks)) program.sinks.emplace_back(sink);
  const fs::path path = directory / file;
  program.command =
      transfers::with_values({program.command}, {{"file", quoted(path.string())},
                                                 {"dir", quoted(path.parent_path().string())}})
          .front();
  std::error_code ignored;
  program.built = fs::exists(path, ignored);
  return program;
}

bool matches(const ListedProgram& program, std::string_view word) {
  return word == "all" || word == program.language || word == program.name;
}

void require_known(const std::vector<ListedProgram>& listed, const std::string& word) {
  std::vector<std::string> names{"all"};
  for (const ListedProgram& program : listed) {
    if (matches(program, word)) return;
    names.insert(names.end(), {program.name, program.language});
  }
  throw Error(
      fmt::format("--programs: unknown program or language '{}'{}", word, suggestion(word, names)),
      kExitUsage);
}

}  // namespace

std::vector<ListedProgram> parse_program_list(const std::string& text,
                                              const std::string& directory) {
  std::vector<ListedProgram> programs;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty() && !line.starts_with('#'))
      programs.push_back(parse_line(std::string(line), directory));
  return programs;
}

std::vector<ListedProgram> listed_programs() {
  std::error_code ignored;
  const fs::path own = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& directory :
       {own / "transfers/programs", own.parent_path() / "libexec/zctrace/programs"}) {
    std::ifstream file(directory / "list");
    if (!file) continue;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return parse_program_list(text, directory);
  }
  throw Error("--programs: none are built; run 'make programs' in the sources", kExitUsage);
}

std::vector<ListedProgram> choose_programs(const std::vector<ListedProgram>& listed,
                                           const std::string& wanted, const std::string& sink) {
  const std::vector<std::string_view> words = split_list(wanted);
  for (const std::string_view word : words) require_known(listed, std::string(word));
  const std::string kind = sink.substr(0, sink.find(':'));
  std::vector<ListedProgram> chosen;
  for (const ListedProgram& program : listed) {
    const bool asked = std::any_of(words.begin(), words.end(),
                                   [&](std::string_view word) { return matches(program, word); });
    if (asked && std::count(program.sinks.begin(), program.sinks.end(), kind) != 0)
      chosen.push_back(program);
  }
  if (chosen.empty())
    throw Error(fmt::format("--programs {}: none of them writes to --to {}", wanted, sink),
                kExitUsage);
  return chosen;
}

std::string missing_text(const std::vector<ListedProgram>& chosen) {
  std::set<std::string> compiled;  // languages whose compiler was there
  for (const ListedProgram& program : chosen)
    if (program.built) compiled.insert(program.language);
  std::vector<std::string> names;
  std::set<std::string> needed;
  for (const ListedProgram& program : chosen) {
    if (program.built) continue;
    names.push_back(program.name);
    if (program.package.empty() || !compiled.contains(program.language))
      needed.insert("a compiler of " + program.language);
    if (!program.package.empty()) needed.insert(program.package);
  }
  if (names.empty()) return "";
  return fmt::format("{} {} not compared: not built; install {} and run 'make programs'",
                     listed(names), names.size() == 1 ? "is" : "are",
                     listed({needed.begin(), needed.end()}));
}

std::string add_listed_programs(CompareOptions& options, const std::string& wanted) {
  if (wanted.empty()) return "";
  const auto chosen = choose_programs(listed_programs(), wanted, options.route.to);
  for (const ListedProgram& program : chosen)
    if (program.built) options.programs.push_back(program.name + "=" + program.command);
  return missing_text(chosen);
}

}  // namespace zctrace
