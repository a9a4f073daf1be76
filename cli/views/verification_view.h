// SPDX-License-Identifier: MIT
// What a comparison with the kernel's own counts comes to, for people and for scripts.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "cli/views/grid.h"
#include "collector/model/verification.h"

namespace zctrace {

std::vector<Fact> verification_facts(const Verification& verification);
nlohmann::ordered_json verification_json(const Verification& verification);

}  // namespace zctrace
