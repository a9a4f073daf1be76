// SPDX-License-Identifier: MIT
// "did you mean 'run'?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zctrace {

// "; did you mean 'run'?" for "rnu"; "" when no candidate is close enough to be a typo of it.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace zctrace
