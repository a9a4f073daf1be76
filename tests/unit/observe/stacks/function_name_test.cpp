// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/function_name.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace zctrace {
namespace {

// A reference of Rust to an earlier part of a name, which begins at `offset`.
std::string reference(std::size_t offset) {
  constexpr std::string_view kDigits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string digits;
  for (std::size_t left = offset - 1;; left /= kDigits.size()) {
    digits.insert(digits.begin(), kDigits[left % kDigits.size()]);
    if (left < kDigits.size()) break;
  }
  return "B" + digits + "_";
}

TEST(FunctionName, OfC) {
  EXPECT_EQ(function_name("main"), "main");
  EXPECT_EQ(function_name("__write@@GLIBC_2.2.5"), "__write");
  EXPECT_EQ(function_name("memcpy@GLIBC_2.2.5"), "memcpy");
  EXPECT_EQ(function_name("@"), "@");
  EXPECT_EQ(function_name(""), "");
}

TEST(FunctionName, OfCPlusPlus) {
  EXPECT_EQ(function_name("_ZN3foo3barEiPKc"), "foo::bar(int, char const*)");
  EXPECT_EQ(function_name("_Znonsense"), "_Znonsense");
}

TEST(FunctionName, OfRust) {
  EXPECT_EQ(function_name("_ZN3std2io4copy17h0123456789abcdefE"), "std::io::copy");
  EXPECT_EQ(function_name("_ZN47_$LT$std..fs..File$u20$as$u20$std..io..Read$GT$4read"
                          "17h0123456789abcdefE"),
            "<std::fs::File as std::io::Read>::read");
  EXPECT_EQ(function_name("_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$"
                          "17haf7aae0b73d3a9b9E.llvm.16775165578452014335"),
            "std::rt::lang_start::{{closure}}");
  EXPECT_EQ(function_name("_RNvXsa_NtCsjrHSEGnQ3l9_3std2fsNtB5_4FileNtNtB7_2io4Read4read"),
            "<std::fs::File as std::io::Read>::read");
  EXPECT_EQ(function_name("_RINvNtNtCsjrHSEGnQ3l9_3std2io4copy17stack_buffer_copyINtCseXP6SLb2vyG_"
                          "4copy5PlainNtNtB6_2fs4FileEINtBS_3OutB1h_EEBS_"),
            "std::io::copy::stack_buffer_copy::<copy::Plain<std::fs::File>, "
            "copy::Out<std::fs::File>>");
  EXPECT_EQ(function_name("_Rnonsense"), "_Rnonsense");
  // One of its identifiers is empty.
  const std::string empty = "_RNvXsa_NtCsjSEGnQ3l9_0std2fsNtB5_4FileNtNtB7_2io4Read4read";
  EXPECT_EQ(function_name(empty), empty);
  // As long as such a hash, but none.
  EXPECT_EQ(function_name("_ZN3foo17hzzzzzzzzzzzzzzzzE"), "foo::hzzzzzzzzzzzzzzzz");
}

TEST(FunctionName, OfGo) {
  EXPECT_EQ(function_name("net/http.(*conn).serve"), "net/http.(*conn).serve");
}

TEST(FunctionName, IsCut) {
  const std::string cut = function_name(std::string(100'000, 'f'));
  EXPECT_EQ(cut, std::string(kFunctionNameBytes, 'f') + "…");
  // Too long to demangle.
  EXPECT_TRUE(function_name("_ZN9999f" + std::string(100'000, 'f')).starts_with("_ZN9999f"));
}

// A name of a few hundred bytes that stands for 2^60 parts.
TEST(FunctionName, OfRustThatWouldNotEndIsCut) {
  std::string symbol = "INvC1a1f";
  std::size_t previous = symbol.size();
  symbol += "TllE";
  for (int i = 0; i < 60; i++) {
    const std::size_t begin = symbol.size();
    symbol += "T" + reference(previous) + reference(previous) + "E";
    previous = begin;
  }
  const std::string name = function_name("_R" + symbol + "E");
  EXPECT_TRUE(name.starts_with("a::f::<(i32, i32), ((i32, i32), (i32, i32)), ")) << name;
  EXPECT_EQ(name.size(), kFunctionNameBytes + std::string_view("…").size());
}

// Types whose parts are twice the type before: 250 bytes that stand for 500 MB.
TEST(FunctionName, OfCPlusPlusThatWouldNotEndIsCut) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string symbol = "_Z1f1aIiiE";
  for (int i = 0; i < 30; i++) {
    const std::string previous = std::string("S") + kDigits[i] + "_";
    symbol += "S_I" + previous + previous + "E";
  }
  const std::string name = function_name(symbol);
  EXPECT_TRUE(name.starts_with("f(a<int, int>, a<a<int, int>, a<int, int> >, ")) << name;
  EXPECT_EQ(name.size(), kFunctionNameBytes + std::string_view("…").size());
}

TEST(FunctionName, OfConversionOperators) {
  EXPECT_EQ(function_name("_ZN1acv1bEv"), "a::operator b()");
  const auto nested = [](int depth) {
    std::string symbol = "_Z";
    for (int i = 0; i < depth; i++) symbol += "cvT_IL_Z";
    symbol += "1a";
    for (int i = 0; i < depth; i++) symbol += "EE";
    return symbol;
  };
  EXPECT_EQ(function_name(nested(1)), "operator a<a>");
  // The demangler would take 2^40 steps, and print nothing until then.
  EXPECT_EQ(function_name(nested(40)), nested(40));
}

// Before it expands a pack, the demangler looks for it in all parts of the pattern.
TEST(FunctionName, OfCPlusPlusWithAPackThatTakesDays) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  EXPECT_EQ(function_name("_Z1fIJiiEEvDpT_"), "void f<int, int>(int, int)");
  std::string symbol = "_Z1fDp1cI1aIiiE";
  for (int i = 1; i < 35; i++) {
    const std::string previous = std::string("S") + kDigits[i] + "_";
    symbol += "S0_I" + previous + previous + "E";
  }
  symbol += "E";
  EXPECT_EQ(function_name(symbol), symbol);
  // The next one has all of its time again.
  EXPECT_EQ(function_name("_ZN3foo3barEiPKc"), "foo::bar(int, char const*)");
}

// The lifetimes of a function's type are counted even in parts of a name that are not shown.
TEST(FunctionName, OfRustWithLifetimes) {
  EXPECT_EQ(function_name("_RINvC1a1fFG0_RL1_hRL0_hEuE"), "a::f::<for<'a, 'b> fn(&'a u8, &'b u8)>");
  for (const std::string hidden :
       {"_RC1aYFGzzzzzzzzz_EuC1b", "_RC1aMC1bFGzzzzzzzzz_Eu", "_RC1aYDGzzzzzzzzz_NtC1c1dEL_C1b"})
    EXPECT_EQ(function_name(hidden), hidden);
  // An identifier with such letters cannot be told from them.
  EXPECT_EQ(function_name("_RNvC1a9FGraph_ab"), "_RNvC1a9FGraph_ab");
}

}  // namespace
}  // namespace zctrace
