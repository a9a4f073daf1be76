// SPDX-License-Identifier: MIT
// What a program's file says about the names of its functions: Go's table, and mangled names.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "collector/observe/stacks/function_name.h"
#include "collector/observe/stacks/go_functions.h"
#include "tests/fuzz/require.h"

namespace {

using namespace zctrace;

// The first eight bytes are the address to look for, the rest is the table.
void check_table(std::string_view input) {
  std::uint64_t address = 0;
  const std::size_t used = std::min(sizeof(address), input.size());
  std::memcpy(&address, input.data(), used);
  const std::string table(input.substr(used));
  const GoFunctions functions(table);
  for (const std::uint64_t at : {address, address + 1, ~std::uint64_t{0}}) {
    const std::string_view name = functions.name_at(at);
    require(name.size() < kFunctionNameBytes, "a name has a bound");
    require(name.empty() || (name.data() >= table.data() &&
                             name.data() + name.size() < table.data() + table.size()),
            "a name is of the table");
  }
}

void check_name(std::string_view symbol) {
  require(function_name(symbol).size() <= kFunctionNameBytes + std::string_view("…").size(),
          "a name has a bound");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  check_table(input);
  check_name(input);
  return 0;
}
