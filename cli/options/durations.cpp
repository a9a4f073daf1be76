// SPDX-License-Identifier: MIT
// The texts of refusals come from parse_duration().
#include "cli/options/durations.h"

#include <stdexcept>

#include "cli/text/units.h"

namespace zctrace {

std::optional<std::chrono::nanoseconds> duration_option(const char* option, const std::string& text,
                                                        std::chrono::nanoseconds shortest) {
  if (text.empty()) return std::nullopt;
  try {
    const std::chrono::nanoseconds duration(static_cast<std::int64_t>(parse_duration(text)));
    if (duration.count() == 0) throw std::invalid_argument("must be more than nothing");
    if (duration < shortest)
      throw std::invalid_argument("must be at least " +
                                  format_ns(static_cast<std::uint64_t>(shortest.count())));
    return duration;
  } catch (const std::invalid_argument& error) {
    throw CLI::ValidationError(option, text + ": " + error.what());
  }
}

}  // namespace zctrace
