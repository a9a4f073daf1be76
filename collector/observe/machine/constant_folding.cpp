// SPDX-License-Identifier: MIT
// Three passes: forwards, which instructions can be reached and where each jump goes, with what is
// known of the registers; backwards, which of their results are used; and then the move.
#include "collector/observe/machine/constant_folding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>

#include "collector/observe/machine/bpf_instruction.h"

namespace zctrace {
namespace {

constexpr unsigned kRegisters = 11;
constexpr unsigned kFirstSaved = 6;  // calls leave this register and those after it alone

// What is known of a register. An address is one in the read-only data, by its offset.
struct Known {
  enum class Content : std::uint8_t { kUnknown, kNumber, kAddress };
  Content content = Content::kUnknown;
  std::uint64_t value = 0;

  bool operator==(const Known&) const = default;
};

using Registers = std::array<Known, kRegisters>;

class Folding {
 public:
  Folding(BpfText& text, const BpfConstants& constants)
      : text_(text), code_(text.instructions), constants_(constants), at_(code_.size()) {}

  void run() {
    if (!is_well_formed()) return;
    follow();
    find_unused();
    choose();
    move();
  }

 private:
  enum class Branch : std::uint8_t { kUndecided, kTaken, kNotTaken };

  struct At {
    bool reached = false;
    bool waits = false;  // in `waiting_`
    bool kept = false;
    bool inside = false;          // the second half of an instruction
    bool reads_constant = false;  // in the read-only data, at a known place
    Branch branch = Branch::kUndecided;
    std::uint16_t used_after = 0;     // a bit for each register
    std::uint32_t before = kNowhere;  // in `states_`; only for what is jumped to
  };
  static constexpr std::uint32_t kNowhere = ~0U;

  std::size_t width(std::size_t i) const { return is_wide(code_[i]) ? 2 : 1; }
  std::size_t target(std::size_t i) const {
    return static_cast<std::size_t>(static_cast<std::int64_t>(i) + 1 + distance_of(code_[i]));
  }
  bool has_target(std::size_t i) const {
    const bpf_insn& one = code_[i];
    return always_jumps(one) || may_jump(one) || names_function(one);
  }
  bool jumps(std::size_t i) const {
    return always_jumps(code_[i]) || at_[i].branch == Branch::kTaken;
  }
  bool goes_on(std::size_t i) const { return !is_exit(code_[i]) && !jumps(i); }
  bool goes_to_target(std::size_t i) const {
    return always_jumps(code_[i]) || (may_jump(code_[i]) && at_[i].branch != Branch::kNotTaken);
  }

  bool is_well_formed() {
    for (std::size_t i = 0; i < code_.size(); i += width(i)) {
      if (code_[i].dst_reg >= kRegisters) return false;
      if (!is_wide(code_[i])) continue;
      if (i + 1 == code_.size()) return false;
      at_[i + 1].inside = true;
    }
    for (std::size_t i = 0; i < code_.size(); i += width(i)) {
      if (has_target(i)) {
        if (target(i) >= code_.size() || at_[target(i)].inside) return false;
        begin_at(target(i));
      }
      // Where one instruction goes on, there must be another.
      if (i + width(i) >= code_.size() && !is_exit(code_[i]) && !always_jumps(code_[i]))
        return false;
    }
    const auto inside = [this](const auto& what) {
      return what.insn_off >= code_.size() || at_[what.insn_off].inside;
    };
    return !code_.empty() && std::none_of(text_.functions.begin(), text_.functions.end(), inside) &&
           std::none_of(text_.lines.begin(), text_.lines.end(), inside);
  }

  // --- forwards --------------------------------------------------------------------------------

  // Instructions that are jumped to have a state of their own. The others have that of the one
  // before, which is followed on.
  void begin_at(std::size_t i) {
    if (at_[i].before != kNowhere) return;
    at_[i].before = static_cast<std::uint32_t>(states_.size());
    states_.emplace_back();
  }

  void reach(std::size_t i, const Registers& registers) {
    At& at = at_[i];
    Registers& before = states_[at.before];
    bool changed = !at.reached;
    if (!at.reached) {
      before = registers;
    } else {
      for (unsigned r = 0; r < kRegisters; r++) {
        if (before[r].content == Known::Content::kUnknown || before[r] == registers[r]) continue;
        before[r] = {};
        changed = true;
      }
    }
    at.reached = true;
    if (!changed || at.waits) return;
    at.waits = true;
    waiting_.push_back(i);
  }

  void follow() {
    begin_at(0);
    reach(0, {});
    while (!waiting_.empty()) {
      const std::size_t i = waiting_.front();
      waiting_.pop_front();
      at_[i].waits = false;
      follow_from(i);
    }
  }

  void follow_from(std::size_t i) {
    for (Registers registers = states_[at_[i].before];;) {
      const bpf_insn& one = code_[i];
      at_[i].reached = true;
      at_[i].reads_constant = reads_constant(one, registers);
      if (names_function(one)) reach(target(i), {});
      if (may_jump(one)) at_[i].branch = decided(one, registers);
      execute(i, registers);
      if (goes_to_target(i)) reach(target(i), registers);
      if (!goes_on(i)) return;
      i += width(i);
      if (at_[i].before == kNowhere) continue;
      reach(i, registers);
      return;
    }
  }

  static Known operand(const bpf_insn& one, const Registers& registers) {
    if (reads_register(one)) return one.src_reg < kRegisters ? registers[one.src_reg] : Known{};
    return {Known::Content::kNumber,
            static_cast<std::uint64_t>(static_cast<std::int64_t>(one.imm))};
  }

  static Branch decided(const bpf_insn& one, const Registers& registers) {
    const Known left = registers[one.dst_reg];
    const Known right = operand(one, registers);
    if (decides_anew(one) || left.content != Known::Content::kNumber ||
        right.content != Known::Content::kNumber)
      return Branch::kUndecided;
    const std::optional<bool> taken = compare(one, left.value, right.value);
    if (!taken) return Branch::kUndecided;
    return *taken ? Branch::kTaken : Branch::kNotTaken;
  }

  void execute(std::size_t i, Registers& registers) const {
    const bpf_insn& one = code_[i];
    Known& to = registers[one.dst_reg];
    if (is_arithmetic(one)) {
      to = result_of(one, to, operand(one, registers));
    } else if (is_wide(one)) {
      to = {};
      if (one.src_reg == 0)
        to = {Known::Content::kNumber, static_cast<std::uint32_t>(one.imm) |
                                           static_cast<std::uint64_t>(code_[i + 1].imm) << 32};
      else if (one.src_reg == BPF_PSEUDO_MAP_VALUE && one.imm == constants_.map)
        to = {Known::Content::kAddress, static_cast<std::uint32_t>(code_[i + 1].imm)};
    } else if (class_of(one) == BPF_LDX) {
      to = at_[i].reads_constant ? loaded(one, registers) : Known{};
    } else if (is_call(one) || class_of(one) == BPF_LD) {
      std::fill(registers.begin(), registers.begin() + kFirstSaved, Known{});
    } else if (class_of(one) == BPF_STX && BPF_MODE(one.code) != BPF_MEM) {
      // An atomic operation may set each of these.
      registers[0] = to = {};
      if (one.src_reg < kRegisters) registers[one.src_reg] = {};
    }
  }

  static Known result_of(const bpf_insn& one, Known left, Known right) {
    if (class_of(one) == BPF_ALU64 && one.off == 0) {
      if (operation_of(one) == BPF_MOV) return right;
      if (operation_of(one) == BPF_ADD && left.content == Known::Content::kAddress &&
          right.content == Known::Content::kNumber)
        return {Known::Content::kAddress, left.value + right.value};
    }
    // A move ignores the old value.
    if (right.content != Known::Content::kNumber ||
        (left.content != Known::Content::kNumber && !moves(one)))
      return {};
    const std::optional<std::uint64_t> result = compute(one, left.value, right.value);
    return result ? Known{Known::Content::kNumber, *result} : Known{};
  }

  Known loaded(const bpf_insn& one, const Registers& registers) const {
    static constexpr std::size_t kBytes[] = {4, 2, 1, 8};  // by BPF_W, BPF_H, BPF_B, BPF_DW
    const std::size_t bytes = kBytes[BPF_SIZE(one.code) >> 3];
    const std::uint64_t offset = registers[one.src_reg].value + static_cast<std::int64_t>(one.off);
    if (offset > constants_.content.size() || constants_.content.size() - offset < bytes) return {};
    std::uint64_t value = 0;
    const std::byte* const from = constants_.content.data() + offset;
    if constexpr (std::endian::native == std::endian::big)
      std::memcpy(reinterpret_cast<char*>(&value) + sizeof(value) - bytes, from, bytes);
    else
      std::memcpy(&value, from, bytes);
    return {Known::Content::kNumber, value};
  }

  static bool reads_constant(const bpf_insn& one, const Registers& registers) {
    return class_of(one) == BPF_LDX && BPF_MODE(one.code) == BPF_MEM && one.src_reg < kRegisters &&
           registers[one.src_reg].content == Known::Content::kAddress;
  }

  // --- backwards -------------------------------------------------------------------------------

  static std::uint16_t bit(unsigned r) { return static_cast<std::uint16_t>(1U << r); }

  // Whether the instruction only sets a register. The kernel finds callbacks by the loads of their
  // addresses, so those stay.
  bool only_sets(std::size_t i) const {
    return is_arithmetic(code_[i]) || (is_wide(code_[i]) && !takes_function(code_[i])) ||
           at_[i].reads_constant;
  }

  bool is_needed(std::size_t i) const {
    return !only_sets(i) || at_[i].used_after & bit(code_[i].dst_reg);
  }

  std::uint16_t used_before(std::size_t i) const {
    const bpf_insn& one = code_[i];
    const std::uint16_t after = at_[i].used_after;
    const std::uint16_t to = bit(one.dst_reg);
    if (!is_needed(i)) return after;
    if (is_wide(one)) return after & ~to;
    if (is_exit(one)) return bit(0);
    if (is_call(one)) return (after & ~0x3f) | 0x3e;  // it takes registers 1 to 5 and sets 0
    if (always_jumps(one) || at_[i].branch != Branch::kUndecided) return after;
    const std::uint16_t operand = reads_register(one) ? bit(one.src_reg) : 0;
    switch (class_of(one)) {
      case BPF_ALU:
      case BPF_ALU64: return (moves(one) ? after & ~to : after | to) | operand;
      case BPF_LDX: return (after & ~to) | bit(one.src_reg);
      case BPF_JMP:
      case BPF_JMP32: return after | to | operand;
      case BPF_ST: return after | to;
      case BPF_STX: return after | to | bit(one.src_reg) | bit(0);
      default: return 0x7ff;
    }
  }

  void find_unused() {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = code_.size(); i-- > 0;) {
        if (!at_[i].reached) continue;
        std::uint16_t used = 0;
        if (goes_on(i)) used |= used_before(i + width(i));
        if (goes_to_target(i)) used |= used_before(target(i));
        if (used == at_[i].used_after) continue;
        at_[i].used_after = used;
        changed = true;
      }
    }
  }

  // --- the move --------------------------------------------------------------------------------

  void choose() {
    for (std::size_t i = 0; i < code_.size(); i++)
      at_[i].kept = at_[i].reached && is_needed(i) && at_[i].branch != Branch::kNotTaken;
    // Jumps that skip nothing; backwards, since dropping one may leave an earlier one with nothing
    // to skip.
    for (std::size_t i = code_.size(); i-- > 0;)
      if (at_[i].kept && jumps(i) && first_kept(i + 1) == first_kept(target(i)))
        at_[i].kept = false;
  }

  std::size_t first_kept(std::size_t i) const {
    while (i < code_.size() && !at_[i].kept) i++;
    return i;
  }

  void move() {
    std::vector<std::size_t> places(code_.size());  // of the next instruction that is kept
    std::vector<bpf_insn> moved;
    moved.reserve(code_.size());
    for (std::size_t i = 0; i < code_.size(); i++) {
      places[i] = moved.size();
      if (!at_[i].kept) continue;
      moved.push_back(code_[i]);
      if (is_wide(code_[i])) moved.push_back(code_[++i]);
    }
    for (std::size_t i = 0; i < code_.size(); i++) {
      if (!at_[i].kept || !has_target(i)) continue;
      bpf_insn& one = moved[places[i]];
      if (at_[i].branch == Branch::kTaken)
        one = {.code = BPF_JMP | BPF_JA, .dst_reg = 0, .src_reg = 0, .off = one.off, .imm = 0};
      const auto distance =
          static_cast<std::int64_t>(places[target(i)]) - static_cast<std::int64_t>(places[i]) - 1;
      if (has_long_distance(one))
        one.imm = static_cast<std::int32_t>(distance);
      else
        one.off = static_cast<std::int16_t>(distance);
    }
    std::erase_if(text_.functions,
                  [this](const bpf_func_info& one) { return !at_[one.insn_off].reached; });
    for (bpf_func_info& one : text_.functions)
      one.insn_off = static_cast<std::uint32_t>(places[one.insn_off]);
    move_lines(places);
    code_ = std::move(moved);
  }

  // A line goes on until the next one begins.
  void move_lines(const std::vector<std::size_t>& places) {
    std::vector<bpf_line_info> moved;
    moved.reserve(text_.lines.size());
    for (std::size_t i = 0, next = 0, last = 0; i < code_.size(); i++) {
      while (next < text_.lines.size() && text_.lines[next].insn_off <= i) next++;
      if (!at_[i].kept || next == last) continue;
      last = next;
      moved.push_back(text_.lines[next - 1]);
      moved.back().insn_off = static_cast<std::uint32_t>(places[i]);
    }
    text_.lines = std::move(moved);
  }

  BpfText& text_;
  std::vector<bpf_insn>& code_;
  const BpfConstants& constants_;
  std::vector<At> at_;
  std::vector<Registers> states_;
  std::deque<std::size_t> waiting_;
};

}  // namespace

void fold_constants(BpfText& text, const BpfConstants& constants) {
  Folding(text, constants).run();
}

}  // namespace zctrace
