// SPDX-License-Identifier: MIT
// What each method's calls took: the table of `compare --by syscall`.
#pragma once

#include "cli/compare/result.h"
#include "cli/views/cell.h"

namespace zctrace {

Section by_syscall_section(const CompareResult& compared);

}  // namespace zctrace
