// SPDX-License-Identifier: MIT
// Programs at random do the same without what read-only data excludes from them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "tests/unit/observe/machine/bpf_assembly.h"

namespace zctrace {
namespace {

using namespace assembly;

// Runs programs of this file, on its own: it uses nothing of what it tests. Helper N returns a mix
// of N and register 1, and notes the call.
class Machine {
 public:
  Machine(const BpfText& text, std::uint64_t argument) : code_(text.instructions) {
    registers_[1] = argument;
  }

  std::vector<std::uint64_t> run() {
    step(0);
    trace_.push_back(registers_[0]);
    return trace_;
  }

 private:
  static std::uint64_t narrow(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

  void step(std::size_t i) {
    for (unsigned count = 0; count < 300; count++) {
      const bpf_insn& one = code_.at(i++);
      std::uint64_t& to = registers_[one.dst_reg];
      const std::uint64_t from = BPF_SRC(one.code) == BPF_X
                                     ? registers_[one.src_reg]
                                     : static_cast<std::uint64_t>(std::int64_t{one.imm});
      switch (BPF_CLASS(one.code)) {
        case BPF_ALU64: to = compute(BPF_OP(one.code), to, from, 64); break;
        case BPF_ALU: to = narrow(compute(BPF_OP(one.code), narrow(to), narrow(from), 32)); break;
        case BPF_LD: {
          const std::int32_t high = code_.at(i++).imm;
          // An address is its offset here, which only loads of constants use; that of a function
          // is 1.
          to = one.src_reg == BPF_PSEUDO_FUNC ? 1
               : one.src_reg == BPF_PSEUDO_MAP_VALUE
                   ? static_cast<std::uint32_t>(high)
                   : static_cast<std::uint32_t>(one.imm) | static_cast<std::uint64_t>(high) << 32;
          break;
        }
        case BPF_LDX: {
          static constexpr std::size_t kBytes[] = {4, 2, 1, 8};
          std::uint64_t value = 0;
          std::memcpy(&value, kContent.data() + registers_[one.src_reg] + one.off,
                      kBytes[BPF_SIZE(one.code) >> 3]);
          to = value;
          break;
        }
        case BPF_JMP:
        case BPF_JMP32: {
          if (BPF_OP(one.code) == BPF_EXIT) return;
          if (BPF_OP(one.code) == BPF_CALL) {
            call_with(one, i);
          } else if (BPF_OP(one.code) == BPF_JA) {
            i = static_cast<std::size_t>(static_cast<std::int64_t>(i) + one.off);
          } else if (BPF_CLASS(one.code) == BPF_JMP
                         ? holds<std::int64_t>(BPF_OP(one.code), to, from)
                         : holds<std::int32_t>(BPF_OP(one.code), narrow(to), narrow(from))) {
            i = static_cast<std::size_t>(static_cast<std::int64_t>(i) + one.off);
          }
          break;
        }
        default: FAIL() << "class " << BPF_CLASS(one.code);
      }
    }
    trace_.push_back(~0ULL);  // goes on for ever
  }

  void call_with(const bpf_insn& one, std::size_t next) {
    if (one.src_reg == BPF_PSEUDO_CALL) {
      const std::array<std::uint64_t, 11> before = registers_;
      // A function begins with its arguments only.
      std::fill(registers_.begin() + 6, registers_.end(), 0xbeef);
      registers_[0] = 0xbeef;
      step(static_cast<std::size_t>(static_cast<std::int64_t>(next) + one.imm));
      std::copy(before.begin() + 6, before.end(), registers_.begin() + 6);
    } else {
      trace_.push_back(static_cast<std::uint64_t>(one.imm) << 32 ^ registers_[1]);
      registers_[0] = trace_.back() * 0x9e3779b97f4a7c15ULL >> 61;
    }
    // A call leaves nothing in its arguments.
    for (unsigned r = 1; r <= 5; r++) registers_[r] = 0xdead0000 + r;
  }

  static std::uint64_t compute(int operation, std::uint64_t left, std::uint64_t right,
                               unsigned width) {
    switch (operation) {
      case BPF_MOV: return right;
      case BPF_ADD: return left + right;
      case BPF_SUB: return left - right;
      case BPF_MUL: return left * right;
      case BPF_AND: return left & right;
      case BPF_OR: return left | right;
      case BPF_XOR: return left ^ right;
      case BPF_LSH: return left << right % width;
      case BPF_RSH: return left >> right % width;
      default: ADD_FAILURE() << "operation " << operation; return 0;
    }
  }

  template <typename Signed>
  static bool holds(int operation, std::uint64_t left, std::uint64_t right) {
    const auto signed_left = static_cast<Signed>(left);
    const auto signed_right = static_cast<Signed>(right);
    switch (operation) {
      case BPF_JEQ: return left == right;
      case BPF_JNE: return left != right;
      case BPF_JGT: return left > right;
      case BPF_JGE: return left >= right;
      case BPF_JLT: return left < right;
      case BPF_JLE: return left <= right;
      case BPF_JSET: return (left & right) != 0;
      case BPF_JSGT: return signed_left > signed_right;
      case BPF_JSGE: return signed_left >= signed_right;
      case BPF_JSLT: return signed_left < signed_right;
      case BPF_JSLE: return signed_left <= signed_right;
      default: ADD_FAILURE() << "comparison " << operation; return false;
    }
  }

  const std::vector<bpf_insn>& code_;
  std::array<std::uint64_t, 11> registers_ = {};
  std::vector<std::uint64_t> trace_;
};

class RandomProgram {
 public:
  explicit RandomProgram(unsigned seed) : random_(seed) {
    const std::size_t functions = 1 + pick(3);
    for (std::size_t i = 0; i < functions; i++) function(i + 1 < functions);
    // Calls go to functions that follow, so that they end.
    for (const auto& [at, after] : calls_) {
      const std::size_t target = begins_[after + 1 + pick(begins_.size() - after - 1)];
      text_.instructions[at].imm = static_cast<std::int32_t>(target - at - 1);
    }
    for (const std::size_t begin : begins_)
      text_.functions.push_back({static_cast<std::uint32_t>(begin), 1});
    for (const std::size_t start : starts_)
      if (pick(3) == 0 || std::count(begins_.begin(), begins_.end(), start) != 0)
        text_.lines.push_back({static_cast<std::uint32_t>(start), 1, 1, 0});
  }

  const BpfText& text() const { return text_; }

 private:
  std::uint32_t pick(std::size_t below) { return static_cast<std::uint32_t>(random_() % below); }
  std::int32_t small() { return static_cast<std::int32_t>(pick(6)) - 2; }
  std::uint8_t any() { return static_cast<std::uint8_t>(pick(10)); }

  void add(const bpf_insn& one) {
    starts_.push_back(text_.instructions.size());
    text_.instructions.push_back(one);
  }
  void add(const std::array<bpf_insn, 2>& one) {
    starts_.push_back(text_.instructions.size());
    text_.instructions.insert(text_.instructions.end(), one.begin(), one.end());
  }

  // Jumps go forwards, or rarely back, which may not end; the machine then stops.
  void function(bool may_call) {
    begins_.push_back(text_.instructions.size());
    const std::size_t first = starts_.size();
    for (std::size_t i = 0, count = 5 + pick(40); i < count; i++) statement(may_call);
    add(set(kR0, small()));
    add(leave());
    for (std::size_t i = first; i < starts_.size(); i++) {
      bpf_insn& one = text_.instructions[starts_[i]];
      const int operation = BPF_OP(one.code);
      const bool jumps = BPF_CLASS(one.code) == BPF_JMP || BPF_CLASS(one.code) == BPF_JMP32;
      if (!jumps || operation == BPF_CALL || operation == BPF_EXIT) continue;
      const std::size_t to =
          pick(12) == 0 ? first + pick(i - first + 1) : i + 1 + pick(starts_.size() - i - 1);
      one.off = static_cast<std::int16_t>(static_cast<std::int64_t>(starts_[to]) -
                                          static_cast<std::int64_t>(starts_[i]) - 1);
    }
  }

  void statement(bool may_call) {
    static constexpr int kComputes[] = {BPF_MOV, BPF_ADD, BPF_SUB, BPF_MUL, BPF_AND,
                                        BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH};
    static constexpr int kCompares[] = {BPF_JEQ,  BPF_JNE,  BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
                                        BPF_JSET, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE};
    static constexpr int kSizes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};
    const int source = pick(2) == 0 ? BPF_K : BPF_X;
    switch (pick(8)) {
      case 0:
      case 1: {
        const int operation = kComputes[pick(std::size(kComputes))];
        const bool shifts = operation == BPF_LSH || operation == BPF_RSH;
        add(insn((pick(2) == 0 ? BPF_ALU : BPF_ALU64) | operation | (shifts ? BPF_K : source),
                 any(), any(), 0, shifts ? static_cast<std::int32_t>(pick(32)) : small()));
        break;
      }
      case 2: add(wide(any(), 0, small(), small())); break;
      case 3:
      case 4: {
        const std::uint8_t to = any();
        add(wide(to, BPF_PSEUDO_MAP_VALUE, kMap, static_cast<std::int32_t>(pick(6))));
        add(load(kSizes[pick(std::size(kSizes))], any(), to, static_cast<int>(pick(3))));
        break;
      }
      case 5:
        add(insn(
            (pick(2) == 0 ? BPF_JMP : BPF_JMP32) | kCompares[pick(std::size(kCompares))] | source,
            any(), any(), 0, small()));
        break;
      case 6:
        if (pick(3) == 0)
          add(jump(0));
        else
          add(copy(any(), any()));
        break;
      default:
        if (may_call && pick(2) == 0) {
          calls_.emplace_back(text_.instructions.size(), begins_.size() - 1);
          if (pick(3) == 0)
            add(wide(any(), BPF_PSEUDO_FUNC, 0, 0));
          else
            add(call(0));
        } else {
          add(help(static_cast<std::int32_t>(pick(100))));
        }
    }
  }

  std::mt19937 random_;
  BpfText text_;
  std::vector<std::size_t> starts_;  // of instructions
  std::vector<std::size_t> begins_;  // of functions
  std::vector<std::pair<std::size_t, std::size_t>> calls_;
};

// A jump may come between an address and its load, where the machine would read anywhere.
bool loads_only_constants(const BpfText& text) {
  std::vector<bool> targets(text.instructions.size() + 1);
  for (std::size_t i = 0; i < text.instructions.size(); i++) {
    const bpf_insn& one = text.instructions[i];
    if (one.code == (BPF_LD | BPF_IMM | BPF_DW)) {
      i++;
      continue;
    }
    if (BPF_CLASS(one.code) == BPF_JMP || BPF_CLASS(one.code) == BPF_JMP32)
      targets[static_cast<std::size_t>(static_cast<std::int64_t>(i) + 1 + one.off)] = true;
  }
  for (std::size_t i = 0; i < text.instructions.size(); i++)
    if (BPF_CLASS(text.instructions[i].code) == BPF_LDX && targets[i]) return false;
  return true;
}

// What the kernel checks.
void expect_described(const BpfText& text) {
  std::set<std::uint32_t> functions = {0}, described, starts, lines;
  for (std::uint32_t i = 0; i < text.instructions.size(); i++) {
    const bpf_insn& one = text.instructions[i];
    const bool wide = one.code == (BPF_LD | BPF_IMM | BPF_DW);
    starts.insert(i);
    if ((wide && one.src_reg == BPF_PSEUDO_FUNC) ||
        (one.code == (BPF_JMP | BPF_CALL) && one.src_reg == BPF_PSEUDO_CALL))
      functions.insert(i + 1 + static_cast<std::uint32_t>(one.imm));
    if (wide) i++;
  }
  for (const bpf_func_info& one : text.functions) described.insert(one.insn_off);
  ASSERT_EQ(described, functions);
  std::uint32_t last = 0;
  for (const bpf_line_info& one : text.lines) {
    ASSERT_TRUE(lines.empty() || one.insn_off > last);
    last = one.insn_off;
    lines.insert(last);
  }
  ASSERT_TRUE(std::includes(lines.begin(), lines.end(), functions.begin(), functions.end()));
  ASSERT_TRUE(std::includes(starts.begin(), starts.end(), lines.begin(), lines.end()));
}

TEST(ConstantFolding, FoldedProgramsDoTheSame) {
  unsigned shorter = 0, compared = 0;
  for (unsigned seed = 0; seed < 5'000; seed++) {
    const RandomProgram random(seed);
    if (!loads_only_constants(random.text())) continue;
    BpfText folded = random.text();
    fold_constants(folded, constants());
    ASSERT_LE(folded.instructions.size(), random.text().instructions.size());
    shorter += folded.instructions.size() < random.text().instructions.size();
    for (const std::uint64_t argument : {0ULL, 1ULL, 0xffff'ffff'ffff'fffeULL, 0x1'0000'0000ULL}) {
      const std::vector<std::uint64_t> before = Machine(random.text(), argument).run();
      // Where it does not end, the two stop at different places.
      if (before.back() == ~0ULL || std::count(before.begin(), before.end(), ~0ULL) != 0) continue;
      compared++;
      ASSERT_EQ(Machine(folded, argument).run(), before) << "seed " << seed;
    }
    expect_described(folded);
  }
  EXPECT_GT(shorter, 1'000U);
  EXPECT_GT(compared, 3'000U);
}

}  // namespace
}  // namespace zctrace
