// SPDX-License-Identifier: MIT
// What a function of the kernel does with the CPU.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collector/model/cpu_profile.h"

namespace zctrace {

// An entry of the table: a function, or with '*' at its end every function that begins so.
struct SymbolClass {
  std::string_view pattern;
  CpuClass cpu_class;
  // The latest version that has such a function ("6.12"), or the architecture ("arm64"); "": Linux
  // 6.18 on x86-64 has it, and most others do.
  std::string_view only;
};

// The whole table, in no order.
const std::vector<SymbolClass>& symbol_table();

// Looks functions up in the table; the longest pattern wins.
class SymbolClasses {
 public:
  SymbolClasses();
  // nullopt: the table does not name it.
  std::optional<CpuClass> find(std::string_view symbol) const;

 private:
  std::unordered_map<std::string_view, CpuClass> functions_;
  std::unordered_map<std::string_view, CpuClass> beginnings_;
  std::size_t longest_beginning_ = 0;
};

}  // namespace zctrace
