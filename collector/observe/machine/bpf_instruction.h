// SPDX-License-Identifier: MIT
// What one instruction of a BPF program is and does. As in the kernel's documentation,
// Documentation/bpf/standardization/instruction-set.rst.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <optional>

namespace zctrace {

inline std::uint8_t class_of(const bpf_insn& one) { return BPF_CLASS(one.code); }
inline std::uint8_t operation_of(const bpf_insn& one) { return BPF_OP(one.code); }
inline bool is_wide(const bpf_insn& one) { return one.code == (BPF_LD | BPF_IMM | BPF_DW); }
inline bool is_arithmetic(const bpf_insn& one) {
  return class_of(one) == BPF_ALU || class_of(one) == BPF_ALU64;
}
inline bool is_jump_class(const bpf_insn& one) {
  return class_of(one) == BPF_JMP || class_of(one) == BPF_JMP32;
}
inline bool is_call(const bpf_insn& one) {
  return class_of(one) == BPF_JMP && operation_of(one) == BPF_CALL;
}
inline bool is_exit(const bpf_insn& one) {
  return class_of(one) == BPF_JMP && operation_of(one) == BPF_EXIT;
}
inline bool always_jumps(const bpf_insn& one) {
  return is_jump_class(one) && operation_of(one) == BPF_JA;
}
inline bool may_jump(const bpf_insn& one) {
  return is_jump_class(one) && !is_call(one) && !is_exit(one) && !always_jumps(one);
}
inline bool reads_register(const bpf_insn& one) { return BPF_SRC(one.code) == BPF_X; }
inline bool moves(const bpf_insn& one) {
  return is_arithmetic(one) && operation_of(one) == BPF_MOV;
}

inline bool calls_function(const bpf_insn& one) {
  return is_call(one) && one.src_reg == BPF_PSEUDO_CALL;
}
inline bool takes_function(const bpf_insn& one) {
  return is_wide(one) && one.src_reg == BPF_PSEUDO_FUNC;
}
inline bool names_function(const bpf_insn& one) {
  return calls_function(one) || takes_function(one);
}
// Whether imm has its distance, not off.
inline bool has_long_distance(const bpf_insn& one) {
  return names_function(one) || (always_jumps(one) && class_of(one) == BPF_JMP32);
}

// From the instruction behind this one to the one that it jumps to, calls, or takes the address of.
inline std::int64_t distance_of(const bpf_insn& one) {
  return has_long_distance(one) ? one.imm : one.off;
}

// may_goto: the kernel decides each time, with a counter of its own (BPF_JCOND, since Linux 6.9).
inline bool decides_anew(const bpf_insn& one) {
  return class_of(one) == BPF_JMP && operation_of(one) == 0xe0;
}

// The result of an arithmetic instruction; nullopt: not one of those that are known here.
std::optional<std::uint64_t> compute(const bpf_insn& one, std::uint64_t left, std::uint64_t right);

// Whether a conditional jump is taken; nullopt: not one of those that are known here.
std::optional<bool> compare(const bpf_insn& one, std::uint64_t left, std::uint64_t right);

}  // namespace zctrace
