// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/go_functions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collector/observe/stacks/function_name.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kText = 0x401000;
constexpr std::size_t kHeaderBytes = 72;

void append(std::string& table, std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i++) table += static_cast<char>(number >> (8 * i) & 0xff);
}

// Functions of 0x100 bytes each, one behind the other, and their names.
struct GoTable {
  std::vector<std::string> names = {"main.copyAll", "io.(*Reader).Read", "main.main"};
  std::uint32_t magic = 0xfffffff0;
  std::uint64_t count = 3;
  std::uint64_t text = kText;
  std::uint64_t name_of_second = 13;  // offset

  bool has_offsets() const { return magic != 0xfffffffa; }
  std::size_t word() const { return has_offsets() ? 4 : 8; }

  std::string bytes() const {
    std::string text_of_names;
    for (const std::string& name : names) text_of_names += name + '\0';
    std::string functions;
    std::string descriptions;
    const std::size_t entries = (2 * names.size() + 1) * word();
    std::uint64_t name = 0;
    for (std::size_t i = 0; i < names.size(); i++) {
      const std::uint64_t address = i * 0x100 + (has_offsets() ? 0 : kText);
      append(functions, address, word());
      append(functions, entries + descriptions.size(), word());
      append(descriptions, address, word());
      append(descriptions, i == 1 ? name_of_second : name, 4);
      name += names[i].size() + 1;
    }
    append(functions, names.size() * 0x100 + (has_offsets() ? 0 : kText), word());
    std::string table;
    append(table, magic, 4);
    append(table, 0, 2);
    append(table, 1, 1);
    append(table, 8, 1);
    const std::uint64_t names_at = kHeaderBytes;
    const std::uint64_t functions_at = names_at + text_of_names.size();
    std::vector<std::uint64_t> words = {count, 1};
    if (has_offsets()) words.push_back(text);
    words.insert(words.end(), {names_at, 0, 0, 0, functions_at});
    words.resize(8);
    for (const std::uint64_t value : words) append(table, value, 8);
    return table + text_of_names + functions + descriptions;
  }
};

void expect_names(const std::string& bytes, std::uint64_t text) {
  const GoFunctions functions(bytes);
  EXPECT_EQ(functions.name_at(text - 1), "");
  EXPECT_EQ(functions.name_at(text), "main.copyAll");
  EXPECT_EQ(functions.name_at(text + 0xff), "main.copyAll");
  EXPECT_EQ(functions.name_at(text + 0x100), "io.(*Reader).Read");
  EXPECT_EQ(functions.name_at(text + 0x2ff), "main.main");
  EXPECT_EQ(functions.name_at(text + 0x300), "");  // behind Go's code, where C's may be
}

TEST(GoFunctions, OfEachFormat) {
  for (const std::uint32_t magic : {0xfffffffa, 0xfffffff0, 0xfffffff1})
    expect_names(GoTable{.magic = magic}.bytes(), kText);
}

TEST(GoFunctions, OfAProgramWhoseAddressesARelocationHas) {
  const std::string bytes = GoTable{.text = 0}.bytes();
  const GoFunctions functions(bytes, kText);
  EXPECT_EQ(functions.name_at(kText + 0x101), "io.(*Reader).Read");
  EXPECT_EQ(functions.name_at(0x101), "");
}

TEST(GoFunctions, OtherTablesHaveNone) {
  EXPECT_EQ(GoFunctions().name_at(kText), "");
  EXPECT_EQ(GoFunctions("").name_at(kText), "");
  EXPECT_EQ(GoFunctions("go").name_at(kText), "");
  const std::string old = GoTable{.magic = 0xfffffffb}.bytes();
  EXPECT_EQ(GoFunctions(old).name_at(kText), "");
  const std::string none = GoTable{.count = 0}.bytes();
  EXPECT_EQ(GoFunctions(none).name_at(kText), "");
}

TEST(GoFunctions, MoreThanTheTableHasAreNotRead) {
  for (const std::uint64_t count : {std::uint64_t{4}, std::uint64_t{1} << 61, ~std::uint64_t{0}}) {
    const std::string bytes = GoTable{.count = count}.bytes();
    const GoFunctions functions(bytes);
    for (std::uint64_t address = kText - 1; address < kText + 0x400; address++)
      EXPECT_LE(functions.name_at(address).size(), bytes.size());
  }
}

TEST(GoFunctions, ANameOutsideOfTheTableIsNone) {
  const std::string bytes = GoTable{.name_of_second = 0xffffffff}.bytes();
  EXPECT_EQ(GoFunctions(bytes).name_at(kText + 0x100), "");
  EXPECT_EQ(GoFunctions(bytes).name_at(kText), "main.copyAll");
}

TEST(GoFunctions, ANameThatDoesNotEndIsNone) {
  GoTable table;
  table.names[0] = std::string(2 * kFunctionNameBytes, 'x');
  table.name_of_second = table.names[0].size() + 1;
  const std::string bytes = table.bytes();
  EXPECT_EQ(GoFunctions(bytes).name_at(kText), "");
  EXPECT_EQ(GoFunctions(bytes).name_at(kText + 0x100), "io.(*Reader).Read");
}

TEST(GoFunctions, WhereverTheTableEnds) {
  const std::string bytes = GoTable{}.bytes();
  for (std::size_t size = 0; size < bytes.size(); size++) {
    const std::string cut = bytes.substr(0, size);
    const GoFunctions functions(cut);
    for (const std::uint64_t address : {kText, kText + 0x100, kText + 0x2ff})
      EXPECT_LE(functions.name_at(address).size(), size);
  }
}

}  // namespace
}  // namespace zctrace
