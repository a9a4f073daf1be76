// SPDX-License-Identifier: MIT
// From addresses to functions, and from functions to classes.
#include "collector/observe/profile/kernel_symbols.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <unordered_map>

#include "collector/observe/profile/symbol_classes.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

class Kallsyms : public ::testing::Test {
 protected:
  KernelSymbols read(const std::string& text) {
    std::ofstream(path_) << text;
    return KernelSymbols(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::filesystem::path path_ =
      std::filesystem::path(::testing::TempDir()) / ("kallsyms." + std::to_string(::getpid()));
};

TEST_F(Kallsyms, AddressIsInTheFunctionThatBeginsBeforeIt) {
  const KernelSymbols symbols = read(
      "ffffffff81000200 t second.isra.0\n"
      "ffffffff81000100 T __pi_first\n"
      "ffffffffc0000000 t third\t[module]\n"
      "ffffffff81000180 D no_function\n"
      "ffffffff810001f0 t __pfx_second\n");
  EXPECT_EQ(symbols.name(0xffffffff81000100), "first");
  EXPECT_EQ(symbols.name(0xffffffff810001ff), "first");
  EXPECT_EQ(symbols.name(0xffffffff81000200), "second");
  EXPECT_EQ(symbols.name(0xffffffffc0000010), "third");
}

TEST_F(Kallsyms, AddressOfCodeThatWasLoadedLaterIsInNoFunction) {
  const KernelSymbols symbols = read("ffffffff81000100 T only\n");
  EXPECT_EQ(symbols.name(0xffffffff81000000), "");
  EXPECT_EQ(symbols.name(0xffffffffc0000000), "");
}

TEST_F(Kallsyms, HiddenAddressesAreAnErrorThatSaysSo) {
  try {
    read("0000000000000000 T first\n0000000000000000 T second\n");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("hides"), std::string::npos);
    EXPECT_EQ(error.exit_code(), kExitCannotRun);
  }
}

TEST(SymbolClasses, LongestPatternWins) {
  const SymbolClasses classes;
  EXPECT_EQ(classes.find("_copy_to_iter"), CpuClass::copy);
  EXPECT_EQ(classes.find("skb_release_data"), CpuClass::network);
  EXPECT_EQ(classes.find("skb_checksum_help"), CpuClass::checksum);
  EXPECT_EQ(classes.find("schedule"), CpuClass::schedule);
  EXPECT_EQ(classes.find("no_such_function"), std::nullopt);
  EXPECT_EQ(classes.find(""), std::nullopt);
}

TEST(SymbolClasses, FunctionsThatEnableInterruptsAgainBelongToTheirCallers) {
  const SymbolClasses classes;
  EXPECT_EQ(classes.find("_raw_spin_unlock_irqrestore"), std::nullopt);
  EXPECT_EQ(classes.find("_raw_spin_unlock_irq"), std::nullopt);
}

TEST(SymbolClasses, EachPatternHasOneClass) {
  std::unordered_map<std::string_view, unsigned> seen;
  for (const SymbolClass& entry : symbol_table()) {
    EXPECT_EQ(seen[entry.pattern]++, 0u) << entry.pattern;
    EXPECT_FALSE(entry.pattern.empty());
    EXPECT_LE(std::count(entry.pattern.begin(), entry.pattern.end(), '*'), 1);
  }
}

}  // namespace
}  // namespace zctrace
