// SPDX-License-Identifier: MIT
// Whether a report ends with advice, and where the CPU times in it come from.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace zctrace {

struct AdviceOptions {
  std::string advise;              // "": not given; "counts"; "measure"
  std::vector<std::string> basis;  // files

  bool wanted() const { return !advise.empty(); }
  bool measures() const { return advise == "measure"; }
};

void add_advice_options(CLI::App& command, AdviceOptions& options);

// Throws Error (usage) for options that do not fit together. `by` is --by. `intervals`: -i was
// given.
void check_advice(const AdviceOptions& options, const std::string& by, bool intervals = false);

}  // namespace zctrace
