// SPDX-License-Identifier: MIT
// The advice of a report, for people.
#pragma once

#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/advice.h"

namespace zctrace {

// A sentence each, or one line that says that there is none.
Section advice_section(const std::vector<Advice>& advice, const Wording& wording);

}  // namespace zctrace
