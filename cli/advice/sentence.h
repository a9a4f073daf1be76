// SPDX-License-Identifier: MIT
// An advice as one sentence that a person can act on.
#pragma once

#include <string>

#include "cli/advice/draft.h"

namespace zctrace {

// Of a draft that is complete but for its sentence. Names in it are as the process chose them, but
// not long: a view has to make them printable.
std::string sentence(const AdviceDraft& draft);

}  // namespace zctrace
