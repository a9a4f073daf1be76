// SPDX-License-Identifier: MIT
// The functions of the running kernel, by address.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zctrace {

// A copy of /proc/kallsyms: functions of the kernel and of the modules that are loaded now. Names
// are without what the compiler or the linker adds ("__pi_", ".isra.0").
class KernelSymbols {
 public:
  // Throws Error (cannot run here): it cannot be read, or the kernel hides the addresses.
  explicit KernelSymbols(const std::filesystem::path& kallsyms = "/proc/kallsyms");

  // "" for an address that is in no known function. Valid as long as the object.
  std::string_view name(std::uint64_t address) const;
  // Each function's, in no order, some more than once.
  std::vector<std::string_view> names() const;

 private:
  struct Symbol {
    std::uint64_t address;
    std::uint32_t begin;  // of its name in text_
    std::uint32_t length;
  };
  std::string text_;
  std::vector<Symbol> symbols_;  // by address
};

// "__pi_memcpy" and "memcpy.part.0" are "memcpy".
std::string_view plain_symbol(std::string_view name);

}  // namespace zctrace
