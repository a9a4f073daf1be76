// SPDX-License-Identifier: MIT
// The tables of `top`: processes or groups of them, and the rows, files, peers or ports of the one
// that is open. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/top/compact.h"
#include "cli/top/controls.h"
#include "cli/top/line.h"

namespace zctrace {

// Where a table is drawn, and how.
struct ListArea {
  std::size_t width = 80;
  std::size_t height = 1;  // of the lines below the header
  bool header = true;
  bool unicode = false;
};

// `empty` is shown where there is no process.
std::vector<Line> process_list(const TopControls& controls, const CompactNumerals& numerals,
                               const ListArea& area, const std::string& empty);
std::vector<Line> row_list(const TopControls& controls, const CompactNumerals& numerals,
                           const ListArea& area);
std::vector<Line> channel_list(const TopControls& controls, const CompactNumerals& numerals,
                               const ListArea& area);

}  // namespace zctrace
