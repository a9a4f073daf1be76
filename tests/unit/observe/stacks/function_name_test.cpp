// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/function_name.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

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

}  // namespace
}  // namespace zctrace
