// SPDX-License-Identifier: MIT
// Names of Go's functions by the table that its runtime uses, which stripping leaves.
#pragma once

#include <gelf.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zctrace {

// The table .gopclntab of one program, as Go 1.16 and newer write it. It is the program's to write,
// so nothing in it is trusted: what leads out of the table has no name. A view; not
// thread-specific.
class GoFunctions {
 public:
  // Without names.
  GoFunctions() = default;
  // `table` must outlive this object. `relocated_text`: where the code begins, in the addresses of
  // the file, if a relocation says so instead of the table.
  explicit GoFunctions(std::string_view table, std::optional<std::uint64_t> relocated_text = {});

  // "": there is no Go function at this address of the file. At most kFunctionNameBytes.
  std::string_view name_at(std::uint64_t address) const;

 private:
  struct CodeEntry {
    std::uint64_t address;   // of the first instruction
    std::uint64_t function;  // where its description begins, in functions_
  };

  std::optional<CodeEntry> entry(std::uint64_t index) const;

  std::string_view functions_;  // first the entries, in order of addresses
  std::string_view names_;
  std::uint64_t count_ = 0;
  std::uint64_t text_ = 0;      // is added to all addresses
  std::size_t word_bytes_ = 4;  // of each half of an entry
};

// Those of a program; valid as long as `elf` is. Empty if Go did not make it.
GoFunctions go_functions(Elf* elf);

}  // namespace zctrace
