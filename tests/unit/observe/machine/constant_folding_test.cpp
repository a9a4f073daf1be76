// SPDX-License-Identifier: MIT
// What read-only data excludes from a BPF program. folded_programs_test.cpp runs such programs.
#include "collector/observe/machine/constant_folding.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>

#include "tests/unit/observe/machine/bpf_assembly.h"

namespace zctrace {
namespace {

using namespace assembly;

TEST(ConstantFolding, RemovesABranchThatIsNotTaken) {
  const Assembly result = program() << set(kR0, 2) << leave();
  EXPECT_EQ((program().unless(BPF_B, kZero, 1) << set(kR0, 1) << set(kR0, 2) << leave()).folded(),
            result.shown());
}

TEST(ConstantFolding, RemovesATestThatHolds) {
  const Assembly result = program() << help(5) << set(kR0, 3) << leave();
  EXPECT_EQ((program().unless(BPF_B, kOne, 1) << help(5) << set(kR0, 3) << leave()).folded(),
            result.shown());
}

TEST(ConstantFolding, LeavesACallWhatMayBeItsArguments) {
  Assembly one = program() << set(kR1, 1) << set(kR2, 2) << help(5) << leave();
  const std::string before = one.shown();
  EXPECT_EQ(one.folded(), before);
}

TEST(ConstantFolding, ReadsEachSize) {
  for (const auto& [size, offset, value] :
       {std::tuple{BPF_B, kOne, 1}, {BPF_H, kHalf, 0x1234}, {BPF_DW, kLong, 3}}) {
    const Assembly result = program() << set(kR0, 1) << leave();
    EXPECT_EQ((program().address(kR1, offset)
               << load(size, kR1, kR1) << set(kR0, 1) << jump_if(BPF_JEQ, kR1, value, 1)
               << set(kR0, 2) << leave())
                  .folded(),
              result.shown());
  }
}

TEST(ConstantFolding, ExtendsNumbersAsTheInstructionsDo) {
  // As 64 bits the word is positive, as 32 bits it is negative.
  for (const auto& [kind, expected] : {std::pair{BPF_JMP, 1}, {BPF_JMP32, 2}}) {
    const Assembly result = program() << set(kR0, expected) << leave();
    EXPECT_EQ((program().address(kR1, kWord)
               << load(BPF_W, kR1, kR1) << insn(kind | BPF_JSGT | BPF_K, kR1, 0, 2, 0)
               << set(kR0, 2) << leave() << set(kR0, 1) << leave())
                  .folded(),
              result.shown());
  }
}

TEST(ConstantFolding, CutsTheResultOf32Bits) {
  const Assembly result = program() << set(kR0, 1) << leave();
  EXPECT_EQ(
      (program() << insn(BPF_ALU | BPF_MOV | BPF_K, kR1, 0, 0, -1)
                 << insn(BPF_ALU | BPF_ADD | BPF_K, kR1, 0, 0, 1) << jump_if(BPF_JEQ, kR1, 0, 2)
                 << set(kR0, 2) << leave() << set(kR0, 1) << leave())
          .folded(),
      result.shown());
}

TEST(ConstantFolding, KeepsWhatItDoesNotKnow) {
  Assembly cases[] = {
      // of another map
      program().address(kR1, kZero, kMap + 1)
          << load(BPF_B, kR1, kR1) << jump_if(BPF_JEQ, kR1, 0, 1) << help(5) << set(kR0, 2)
          << leave(),
      // past the end
      program().address(kR1, 9) << load(BPF_DW, kR1, kR1) << jump_if(BPF_JEQ, kR1, 0, 1) << help(5)
                                << set(kR0, 2) << leave(),
      // before the beginning
      program().address(kR1, 0) << load(BPF_B, kR1, kR1, -1) << jump_if(BPF_JEQ, kR1, 0, 1)
                                << help(5) << set(kR0, 2) << leave(),
      // at an index
      program().address(kR2, 0) << insn(BPF_ALU64 | BPF_ADD | BPF_X, kR2, kR1, 0, 0)
                                << load(BPF_B, kR1, kR2) << jump_if(BPF_JEQ, kR1, 0, 1) << help(5)
                                << set(kR0, 2) << leave(),
      // overwritten by a call
      program().address(kR1, kZero)
          << load(BPF_B, kR1, kR1) << help(5) << jump_if(BPF_JEQ, kR1, 0, 1) << help(6)
          << set(kR0, 2) << leave(),
      // different on two ways
      program() << set(kR6, 1) << jump_if(BPF_JEQ, kR1, 0, 1) << set(kR6, 2)
                << jump_if(BPF_JEQ, kR6, 1, 1) << help(5) << set(kR0, 2) << leave(),
      // different in a loop's first round
      program() << set(kR6, 0) << jump_if(BPF_JEQ, kR6, 1, 3) << help(5) << set(kR6, 1) << jump(-4)
                << set(kR0, 2) << leave(),
      // from the stack
      program() << insn(BPF_ST | BPF_MEM | BPF_DW, kR10, 0, -8, 0) << load(BPF_DW, kR1, kR10, -8)
                << jump_if(BPF_JEQ, kR1, 0, 1) << help(5) << set(kR0, 2) << leave(),
      // changed by an atomic operation
      program() << set(kR6, 0)
                << insn(BPF_STX | BPF_ATOMIC | BPF_DW, kR10, kR6, -8, BPF_ADD | BPF_FETCH)
                << jump_if(BPF_JEQ, kR6, 0, 1) << help(5) << set(kR0, 2) << leave(),
      // set by an atomic load (load_acquire)
      program() << set(kR6, 0) << insn(BPF_STX | BPF_ATOMIC | BPF_DW, kR6, kR10, -8, 0x100)
                << jump_if(BPF_JEQ, kR6, 0, 1) << help(5) << set(kR0, 2) << leave(),
      // extended by its sign when moved
      program() << set(kR6, 0xff) << insn(BPF_ALU64 | BPF_MOV | BPF_X, kR1, kR6, 8, 0)
                << jump_if(BPF_JEQ, kR1, 0xff, 1) << help(5) << set(kR0, 2) << leave(),
      // or when loaded (BPF_MEMSX)
      program().address(kR1, kOne)
          << insn(BPF_LDX | 0x80 | BPF_B, kR1, kR1, 0, 0) << jump_if(BPF_JEQ, kR1, 0, 1) << help(5)
          << set(kR0, 2) << leave(),
      // an address from which something is subtracted
      program().address(kR1, kHalf)
          << insn(BPF_ALU64 | BPF_SUB | BPF_K, kR1, 0, 0, 1) << load(BPF_B, kR1, kR1)
          << jump_if(BPF_JEQ, kR1, 0, 1) << help(5) << set(kR0, 2) << leave(),
      // may_goto, which is decided anew each time
      program() << insn(BPF_JMP | 0xe0, 0, 0, 1, 0) << help(5) << set(kR0, 2) << leave(),
  };
  for (Assembly& one : cases) {
    const std::string before = one.shown();
    EXPECT_EQ(one.folded(), before);
  }
}

TEST(ConstantFolding, KeepsTextThatTheKernelWouldRefuse) {
  Assembly cases[] = {
      program(),
      program() << set(kR0, 1),                                    // has no end
      program() << jump(5) << leave(),                             // to outside
      program() << jump(-2) << leave(),                            // to outside
      program() << jump(1) << wide(kR0, 0, 1, 2) << leave(),       // into the middle
      program() << insn(BPF_LD | BPF_IMM | BPF_DW, kR0, 0, 0, 1),  // half an instruction
      program() << set(15, 1) << leave(),                          // no such register
      program() << call(7) << leave(),
  };
  for (Assembly& one : cases) {
    const std::string before = one.shown();
    EXPECT_EQ(one.folded(), before);
  }
}

TEST(ConstantFolding, RemovesFunctionsThatNothingCalls) {
  Assembly one = program().unless(BPF_B, kZero, 1) << call(2) << call(3) << leave()  // 4, 5, 6
                                                   << set(kR0, 1) << leave()   // 7: not called
                                                   << set(kR0, 2) << leave();  // 9: called below
  one.text.functions = {{0, 10}, {7, 11}, {9, 12}};
  one.text.lines = {{0, 1, 1, 0}, {4, 1, 2, 0}, {5, 1, 3, 0}, {7, 1, 4, 0}, {9, 1, 5, 0}};
  EXPECT_EQ(one.folded(), (program() << call(1) << leave() << set(kR0, 2) << leave()).shown());
  ASSERT_EQ(one.text.functions.size(), 2U);
  EXPECT_EQ(one.text.functions[1].insn_off, 2U);
  EXPECT_EQ(one.text.functions[1].type_id, 12U);
  ASSERT_EQ(one.text.lines.size(), 2U);
  EXPECT_EQ(one.text.lines[0].insn_off, 0U);
  EXPECT_EQ(one.text.lines[0].line_off, 3U);
  EXPECT_EQ(one.text.lines[1].insn_off, 2U);
  EXPECT_EQ(one.text.lines[1].line_off, 5U);
}

TEST(ConstantFolding, KeepsAFunctionWhoseAddressIsTaken) {
  Assembly one = program() << wide(kR2, BPF_PSEUDO_FUNC, 4, 0) << help(181) << set(kR0, 0)
                           << leave() << set(kR0, 1) << leave();
  const std::string before = one.shown();
  EXPECT_EQ(one.folded(), before);
}

// The kernel finds functions by calls and by loads of their addresses.
TEST(ConstantFolding, KeepsALoadOfAFunctionThatItKeeps) {
  Assembly one = program() << wide(kR2, BPF_PSEUDO_FUNC, 7, 0) << set(kR6, 1)
                           << jump_if(BPF_JEQ, kR6, 0, 2) << wide(kR2, BPF_PSEUDO_FUNC, 5, 0)
                           << help(181) << leave() << set(kR0, 1) << leave() << set(kR0, 2)
                           << leave();
  EXPECT_EQ(one.folded(),
            (program() << wide(kR2, BPF_PSEUDO_FUNC, 5, 0) << wide(kR2, BPF_PSEUDO_FUNC, 5, 0)
                       << help(181) << leave() << set(kR0, 1) << leave() << set(kR0, 2) << leave())
                .shown());
}

}  // namespace
}  // namespace zctrace
