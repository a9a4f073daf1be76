// SPDX-License-Identifier: MIT
// The definition of the command line as JSON: what scripts/reference makes man pages and shell
// completions from. `zctrace help --json` prints it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace zctrace {

// zctrace itself first, then its commands in the order of the help. Hidden options are left out.
// `app` is not changed: CLI11 has no const access to validators.
std::string definition_json(CLI::App& app);

}  // namespace zctrace
