// SPDX-License-Identifier: MIT
// The table that articles about zero copy repeat, and what was measured in the same units.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/compare/result.h"

namespace zctrace {

// What a method costs: copies of each byte, and calls for each chunk, which is what one call is
// asked to move. nullopt: not known.
struct TextbookFigures {
  std::optional<double> cpu_copies;  // without the reader's
  std::optional<double> dma_copies;
  double syscalls = 0;
  double crossings = 0;
  double switches = 0;  // by the scheduler; in the textbook, what it calls context switches
};

struct MeasuredFigures {
  std::string label;  // of the row
  TextbookFigures figures;
};

struct TextbookLine {
  std::string name;  // "sendfile with gather"
  std::string method;
  TextbookFigures claimed;
  std::vector<MeasuredFigures> measured;  // of each row of the method; empty: none was counted
  std::vector<std::string> why;           // they differ, besides what textbook_notes() says
};

std::vector<TextbookLine> textbook(const CompareResult& compared);
// Differences that all lines have.
std::vector<std::string> textbook_notes(const CompareResult& compared);

}  // namespace zctrace
