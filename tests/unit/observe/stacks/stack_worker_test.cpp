// SPDX-License-Identifier: MIT
// Unwinds stacks of this very process: its registers and memory take the place of a sample.
#include "collector/observe/stacks/stack_worker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "collector/observe/stacks/unwinder.h"
#include "collector/os/split.h"
#include "tests/unit/os/own_children.h"

namespace zctrace {
namespace {

using std::chrono::seconds;

std::uint64_t stat_field(std::size_t field) {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto fields = split(std::string_view(text).substr(text.rfind(") ") + 2), ' ');
  return std::stoull(std::string(fields.at(field - 3)));
}

zc_stack_image own_image() {
  struct stat executable = {};
  ::stat("/proc/self/exe", &executable);
  return {stat_field(26), stat_field(28), stat_field(48), executable.st_ino};
}

RawStack of_this_process() {
  RawStack raw;
  raw.sample.pid = static_cast<std::uint32_t>(::getpid());
  raw.sample.image = own_image();
  return raw;
}

void copy_memory(RawStack& raw, std::uint64_t begin, std::size_t bytes) {
  raw.parts.push_back({begin, {reinterpret_cast<const char*>(begin), bytes}});
}

#if defined(__x86_64__)
// Where a sample would be taken: the function that makes a system call.
__attribute__((noinline)) RawStack sample_here() {
  RawStack raw = of_this_process();
  ucontext_t context{};
  ::getcontext(&context);
  const greg_t* const from = context.uc_mcontext.gregs;
  // In the order of struct pt_regs.
  const int order[] = {REG_R15, REG_R14, REG_R13, REG_R12, REG_RBP, REG_RBX, REG_R11,
                       REG_R10, REG_R9,  REG_R8,  REG_RAX, REG_RCX, REG_RDX, REG_RSI,
                       REG_RDI, REG_RAX, REG_RIP, REG_EFL, REG_EFL, REG_RSP};
  for (std::size_t i = 0; i < std::size(order); i++)
    raw.sample.registers[i] = static_cast<std::uint64_t>(from[order[i]]);
  const std::uint64_t sp = raw.sample.registers[19];
  copy_memory(raw, sp, std::min<std::uint64_t>(16384, raw.sample.image.start_stack - sp));
  return raw;
}

__attribute__((noinline)) RawStack sample_from_a_caller() {
  RawStack raw = sample_here();
  asm volatile("" ::: "memory");
  return raw;
}

std::size_t position(const CallStack& stack, std::string_view function) {
  const auto found =
      std::find_if(stack.user.begin(), stack.user.end(), [function](const StackFrame& frame) {
        return frame.function.find(function) != frame.function.npos;
      });
  return static_cast<std::size_t>(found - stack.user.begin());
}

void expect_callers(const CallStack& stack) {
  ASSERT_GT(stack.user.size(), 3u);
  EXPECT_LT(position(stack, "sample_here"), position(stack, "sample_from_a_caller"));
  EXPECT_LT(position(stack, "sample_from_a_caller"), position(stack, "TestBody"));
  EXPECT_LT(position(stack, "TestBody"), position(stack, "main"));
  EXPECT_LT(position(stack, "main"), position(stack, "_start"));
  EXPECT_TRUE(stack.whole);
  const StackFrame& caller = stack.user.at(position(stack, "sample_from_a_caller"));
  EXPECT_TRUE(caller.own);
  EXPECT_TRUE(caller.module.ends_with("unit-tests")) << caller.module;
}

TEST(Unwinder, FindsTheCallersWithoutFramePointers) {
  Unwinder unwinder;
  const CallStack stack = unwinder.unwind(sample_from_a_caller());
  expect_callers(stack);
  // The tests are built with line numbers.
  const StackFrame& caller = stack.user.at(position(stack, "sample_from_a_caller"));
  EXPECT_TRUE(caller.source.ends_with("stack_worker_test.cpp")) << caller.source;
  EXPECT_GT(caller.line, 0u);
}

TEST(Unwinder, StopsWhereTheCopyOfTheStackEnds) {
  RawStack raw = sample_from_a_caller();
  raw.parts.front().memory.resize(16);
  const CallStack stack = Unwinder().unwind(raw);
  EXPECT_FALSE(stack.whole);
  ASSERT_FALSE(stack.user.empty());
  EXPECT_EQ(position(stack, "sample_here"), 0u);
  EXPECT_EQ(position(stack, "main"), stack.user.size());
}

TEST(Unwinder, TakesFramePointersWhereItKnowsNoMore) {
  RawStack raw = sample_from_a_caller();
  const CallStack known = Unwinder().unwind(raw);
  ASSERT_TRUE(known.whole);
  // As the kernel would send it: the innermost address, then those of callers.
  raw.sample.user[0] = raw.sample.registers[16];
  raw.sample.user[1] = reinterpret_cast<std::uint64_t>(&expect_callers) + 1;
  raw.sample.user_frames = 2;
  raw.parts.clear();
  const CallStack stack = Unwinder().unwind(raw);
  EXPECT_FALSE(stack.whole);
  ASSERT_EQ(stack.user.size(), 2u);
  EXPECT_EQ(position(stack, "expect_callers"), 1u);
}

TEST(Unwinder, DoesNotBelieveAProcessWithTheNumberOfAnother) {
  RawStack raw = sample_from_a_caller();
  raw.sample.image.start_stack++;
  const CallStack stack = Unwinder().unwind(raw);
  for (const StackFrame& frame : stack.user) EXPECT_EQ(frame.function, "");
  EXPECT_FALSE(stack.whole);
}

TEST(StackWorker, AnswersAsAnUnwinder) {
  StackWorker worker;
  const RawStack raw = sample_from_a_caller();
  for (int i = 0; i < 2; i++) {
    const auto stack = worker.unwind(raw, StackWorker::Clock::now() + seconds(30));
    ASSERT_TRUE(stack.has_value());
    expect_callers(*stack);
  }
}
#endif

TEST(StackWorker, GarbageIsAnswered) {
  StackWorker worker;
  RawStack raw = of_this_process();
  for (__u64& word : raw.sample.registers) word = 0x5a5a5a5a5a5a5a5a;
  for (__u64& word : raw.sample.user) word = 0xa5a5a5a5a5a5a5a5;
  raw.sample.user_frames = 65535;
  const auto stack = worker.unwind(raw, StackWorker::Clock::now() + seconds(30));
  ASSERT_TRUE(stack.has_value());
  EXPECT_FALSE(stack->whole);
  EXPECT_LE(stack->user.size(), Unwinder::kMostFrames);
}

TEST(StackWorker, OneThatDoesNotAnswerIsLeft) {
  const NewChildren of_the_worker;
  StackWorker worker;
  const std::vector<pid_t> children = of_the_worker.now();
  ASSERT_EQ(children.size(), 1u);
  ASSERT_EQ(::kill(children[0], SIGSTOP), 0);
  siginfo_t stopped;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(children[0]), &stopped, WSTOPPED), 0);
  EXPECT_FALSE(worker.unwind(of_this_process(), StackWorker::Clock::now()));
}

TEST(PackedStack, IsUnpackedUnchanged) {
  CallStack stack;
  stack.whole = true;
  stack.user.resize(2);
  stack.user[0].function = "f(int)";
  stack.user[0].module = "/usr/lib/libf.so.1";
  stack.user[0].source = "f.c";
  stack.user[0].line = 17;
  stack.user[1].module = "/usr/bin/prog";
  stack.user[1].offset = 1 << 20;
  stack.user[1].own = true;
  const CallStack same = unpacked(packed(stack));
  EXPECT_EQ(same.user, stack.user);
  EXPECT_TRUE(same.whole);
}

TEST(PackedStack, NamesCannotEndAField) {
  CallStack stack;
  stack.user.resize(1);
  stack.user[0].function =
      "a\x1f"
      "b\x1e"
      "c\nd";
  const CallStack same = unpacked(packed(stack));
  ASSERT_EQ(same.user.size(), 1u);
  EXPECT_EQ(same.user[0].function, "a?b?c?d");
}

TEST(PackedStack, GarbageHasNoFrames) {
  EXPECT_TRUE(unpacked("").user.empty());
  EXPECT_TRUE(unpacked("+\x1e\x1e\x1f\x1f\x1e").user.empty());
  std::string many = "-";
  for (int i = 0; i < 1000; i++)
    many +=
        "f\x1fm\x1f\x1f"
        "0\x1f"
        "0\x1f"
        "0\x1f\x1e";
  EXPECT_EQ(unpacked(many).user.size(), Unwinder::kMostFrames);
}

TEST(RawStack, WordsMayLieInTwoParts) {
  RawStack raw;
  raw.parts = {{100, "abcdef"}, {106, "ghijklmn"}};
  const auto at = [&raw](std::uint64_t address) {
    const auto word = raw.word(address);
    return word ? std::string(reinterpret_cast<const char*>(&*word), 8) : "";
  };
  EXPECT_EQ(at(100), "abcdefgh");
  EXPECT_EQ(at(106), "ghijklmn");
  EXPECT_EQ(at(103), "defghijk");
  EXPECT_EQ(at(107), "");
  EXPECT_EQ(at(99), "");
}

}  // namespace
}  // namespace zctrace
