// SPDX-License-Identifier: MIT
// Files are bounded by what is read of them: they may be made to mislead.
#include "collector/observe/stacks/source_lines.h"

#include <algorithm>
#include <chrono>

namespace zctrace {
namespace {

constexpr std::size_t kMostUnits = 65536;
constexpr std::size_t kMostRanges = 1 << 19;
constexpr std::chrono::seconds kMostTime(1);

}  // namespace

std::optional<SourceLine> SourceLines::at(Dwfl_Module* module, std::uint64_t address) {
  if (Dwfl_Line* const line = dwfl_module_getsrc(module, address)) {
    int number = 0;
    const char* const file = dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr);
    if (file != nullptr) return SourceLine{file, number};
  }
  if (!read_) read_units(module);
  auto after = std::ranges::upper_bound(ranges_, address, {}, &Range::begin);
  if (after == ranges_.begin() || (--after)->end <= address) return std::nullopt;
  Dwarf_Line* const line = dwarf_getsrc_die(&after->unit, address - after->bias);
  const char* const file = dwarf_linesrc(line, nullptr, nullptr);
  int number = 0;
  if (file == nullptr || dwarf_lineno(line, &number) != 0) return std::nullopt;
  return SourceLine{file, number};
}

void SourceLines::read_units(Dwfl_Module* module) {
  read_ = true;
  Dwarf_Addr bias = 0;
  Dwarf_Die* unit = nullptr;
  const auto deadline = std::chrono::steady_clock::now() + kMostTime;
  for (std::size_t units = 0; units < kMostUnits; ++units) {
    if (std::chrono::steady_clock::now() >= deadline) break;
    unit = dwfl_module_nextcu(module, unit, &bias);
    if (unit == nullptr) break;
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    std::ptrdiff_t next = 0;
    while (ranges_.size() < kMostRanges &&
           (next = dwarf_ranges(unit, next, &base, &begin, &end)) > 0) {
      // clang gives functions without code such ranges.
      if (begin < end) ranges_.push_back({begin + bias, end + bias, bias, *unit});
    }
  }
  std::ranges::sort(ranges_, {}, &Range::begin);
}

}  // namespace zctrace
