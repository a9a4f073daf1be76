// SPDX-License-Identifier: MIT
// The wording that attach, top and mount share.
#include "cli/options/when_options.h"

#include <string>

#include "cli/options/validators.h"

namespace zctrace {
namespace {

constexpr const char* kGroup = "When";

}  // namespace

void add_end_option(CLI::App& command, std::optional<std::chrono::nanoseconds>& duration,
                    const char* ends) {
  const std::string help = " after TIME: seconds, or with a unit (e.g. 500ms, 10s, 5m)";
  add_duration_option(command, "-d,--duration", duration, ends + help, kShortestTime)
      ->group(kGroup);
}

void add_interval_option(CLI::App& command, std::optional<std::chrono::nanoseconds>& interval) {
  add_duration_option(command, "-i,--interval", interval,
                      "Report every TIME, 10ms or more, instead of once (e.g. 500ms, 10s)",
                      kShortestTime)
      ->group(kGroup);
}

}  // namespace zctrace
