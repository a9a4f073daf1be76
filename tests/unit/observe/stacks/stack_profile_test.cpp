// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/stack_profile.h"

#include <gtest/gtest.h>

#include <string>

namespace zctrace {
namespace {

StackFrame frame(const std::string& function, const std::string& module = "/usr/bin/prog") {
  StackFrame frame;
  frame.function = function;
  frame.module = module;
  frame.own = module == "/usr/bin/prog";
  return frame;
}

StackFrame library(const std::string& function) { return frame(function, "/usr/lib/libx.so.1"); }
StackFrame libc(const std::string& function) { return frame(function, "/usr/lib/libc.so.6"); }

CallStack stack(std::vector<StackFrame> user) { return {std::move(user), {}, true}; }

const StackSite kRead{7, "prog", "read", Kind::file, Kind::user};
const StackSite kWrite{7, "prog", "write", Kind::user, Kind::socket};

TEST(StackProfile, AddsUpEqualStacks) {
  StackProfile profile(1000);
  profile.add(kRead, stack({frame("inner"), frame("main")}), 3);
  profile.add(kRead, stack({frame("other"), frame("main")}), 5);
  profile.add(kRead, stack({frame("inner"), frame("main")}), 4);
  const auto entries = profile.entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].samples, 7u);
  EXPECT_EQ(entries[0].user.at(0)->function, "inner");
  EXPECT_EQ(entries[0].user.at(1)->function, "main");
  EXPECT_EQ(entries[1].samples, 5u);
  EXPECT_EQ(profile.samples(), 12u);
  EXPECT_EQ(profile.bytes(entries[0].samples), 7000u);
}

TEST(StackProfile, KeepsRowsProcessesAndKernelFramesApart) {
  StackProfile profile(1);
  CallStack with_kernel = stack({frame("main")});
  with_kernel.kernel = {frame("do_it", "[kernel]")};
  StackSite other = kRead;
  other.pid = 8;
  profile.add(kRead, stack({frame("main")}), 1);
  profile.add(kWrite, stack({frame("main")}), 1);
  profile.add(other, stack({frame("main")}), 1);
  profile.add(kRead, with_kernel, 1);
  profile.add(kRead, stack({frame("main"), frame("do_it", "[kernel]")}), 1);
  EXPECT_EQ(profile.entries().size(), 5u);
}

TEST(StackProfile, MarginShrinksWithMoreSamples) {
  StackProfile few(100);
  few.add(kRead, stack({frame("a")}), 5);
  few.add(kRead, stack({frame("b")}), 5);
  StackProfile many(1);
  many.add(kRead, stack({frame("a")}), 500);
  many.add(kRead, stack({frame("b")}), 500);
  // Half of ten samples of 100 bytes: Wilson's interval is 23.7 % to 76.3 %.
  EXPECT_EQ(few.margin(5), 263u);
  EXPECT_EQ(many.margin(500), 31u);
  EXPECT_EQ(StackProfile(100).margin(0), 0u);
}

TEST(StackProfile, InnermostFunctionsAreThoseOfTheProgramByBytes) {
  StackProfile profile(1);
  profile.add(kRead, stack({libc("read"), library("fill"), frame("rare"), frame("main")}), 2);
  profile.add(kRead, stack({libc("read"), library("fill"), frame("load"), frame("main")}), 3);
  profile.add(kRead, stack({libc("read"), frame("load"), frame("main"), libc("_start")}), 1);
  profile.add(kWrite, stack({libc("write"), frame("save"), frame("main")}), 90);
  EXPECT_EQ(profile.innermost(7, "read", Kind::file, Kind::user),
            (std::vector<std::string>{"load", "main"}));
  EXPECT_EQ(profile.innermost(7, "read", Kind::file, Kind::user, 1),
            (std::vector<std::string>{"load"}));
  EXPECT_TRUE(profile.innermost(8, "read", Kind::file, Kind::user).empty());
  EXPECT_TRUE(profile.innermost(7, "read", Kind::socket, Kind::user).empty());
}

TEST(StackProfile, InnermostFunctionsOfAProgramWithoutNamesAreThoseOfLibraries) {
  StackProfile profile(1);
  profile.add(kRead, stack({libc("read"), library("fill"), frame(""), libc("_start")}), 2);
  EXPECT_EQ(profile.innermost(7, "read", Kind::file, Kind::user),
            (std::vector<std::string>{"fill"}));
}

TEST(StackProfile, StacksBeyondTheBoundAreAddedUpAndNoSampleIsLost) {
  StackProfile profile(1);
  const std::uint64_t stacks = StackProfile::kMostStacks + 100;
  for (std::uint64_t i = 0; i < stacks; i++)
    profile.add(kRead, stack({frame("f" + std::to_string(i))}), 1);
  const auto entries = profile.entries();
  EXPECT_EQ(entries.size(), StackProfile::kMostStacks + 1);
  EXPECT_TRUE(entries[0].summed);
  EXPECT_EQ(entries[0].samples, 100u);
  std::uint64_t sum = 0;
  for (const auto& entry : entries) sum += entry.samples;
  EXPECT_EQ(sum, stacks);
}

TEST(StackProfile, FunctionsBeyondTheBoundHaveNoName) {
  StackProfile profile(1);
  for (std::size_t i = 0; i <= StackProfile::kMostFrames / 100; i++) {
    CallStack deep;
    for (int depth = 0; depth < 100; depth++)
      deep.user.push_back(frame(std::to_string(i) + "," + std::to_string(depth)));
    profile.add(kRead, deep, i + 1);
  }
  const auto entries = profile.entries();
  EXPECT_EQ(entries.front().user.front()->function, "");
  EXPECT_EQ(entries.back().user.front()->function, "0,0");
}

}  // namespace
}  // namespace zctrace
