// SPDX-License-Identifier: MIT
// The flow of bytes in a few lines: sources at the left, sinks at the right, and between them user
// space or an arrow through the kernel. Rearranges a report's figures, adds none.
#pragma once

#include <cstddef>
#include <vector>

#include "cli/views/cell.h"
#include "cli/views/wording.h"
#include "collector/model/report.h"

namespace zctrace {

// At most five lines, each of cells that follow each other without a space. The largest flows have
// lines of their own, the others are summed. Tones tell how often a CPU copied each byte. Empty if
// no bytes moved, or if `width` columns (0: no limit) are too few.
std::vector<std::vector<Cell>> flow_lines(const Process& process, const Wording& wording,
                                          std::size_t width);

}  // namespace zctrace
