// SPDX-License-Identifier: MIT
// The line of source at an address of a file with debug information.
#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace zctrace {

struct SourceLine {
  const char* file;  // belongs to the module
  int line;
};

// Of one module. libdw finds the unit of an address by the section .debug_aranges, which gcc writes
// and clang does not. So this also knows the ranges that the units themselves name.
class SourceLines {
 public:
  // nullopt: there is no debug information about the address. `address` as in the process.
  std::optional<SourceLine> at(Dwfl_Module* module, std::uint64_t address);

 private:
  struct Range {
    std::uint64_t begin;  // as in the process
    std::uint64_t end;
    std::uint64_t bias;  // of the unit's addresses
    Dwarf_Die unit;
  };

  void read_units(Dwfl_Module* module);

  bool read_ = false;
  std::vector<Range> ranges_;  // by their begin
};

}  // namespace zctrace
