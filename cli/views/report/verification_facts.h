// SPDX-License-Identifier: MIT
// The result of the comparison with the kernel's own counts, in words.
#pragma once

#include <vector>

#include "cli/views/cell.h"
#include "collector/model/verification.h"

namespace zctrace {

std::vector<Fact> verification_facts(const Verification& verification);

}  // namespace zctrace
