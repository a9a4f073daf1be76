// SPDX-License-Identifier: MIT
// The ready programs of `compare --programs`: what transfers/programs/list says of those that were
// built.
#pragma once

#include <string>
#include <vector>

#include "cli/compare/plan.h"

namespace zctrace {

struct ListedProgram {
  std::string name;                // "c-sendfile"
  std::string language;            // "c", "go", "java", "python", "rust"
  std::string package;             // of Debian, which building needs beside the compiler; or ""
  std::vector<std::string> sinks;  // "unix", "tcp", "file"
  std::string command;             // as --program takes it after NAME=
  bool built = false;
};

// The lines of `text`, for programs in `directory`. Throws Error.
std::vector<ListedProgram> parse_program_list(const std::string& text,
                                              const std::string& directory);

// Those beside the program in its build directory, or the installed ones. Throws Error (usage) with
// advice if there are none.
std::vector<ListedProgram> listed_programs();

// Those that `wanted` names, by name or language, separated by commas, or all, and that write to
// `sink`, as --to says it. Throws Error (usage).
std::vector<ListedProgram> choose_programs(const std::vector<ListedProgram>& listed,
                                           const std::string& wanted, const std::string& sink);

// "rust-io-copy, …: not built; …" for those that were not; "" if all were.
std::string missing_text(const std::vector<ListedProgram>& chosen);

// Adds those that were built and that `wanted` names to options.programs; "" names none. Returns
// missing_text().
std::string add_listed_programs(CompareOptions& options, const std::string& wanted);

}  // namespace zctrace
