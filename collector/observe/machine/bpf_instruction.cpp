// SPDX-License-Identifier: MIT
#include "collector/observe/machine/bpf_instruction.h"

namespace zctrace {

std::optional<std::uint64_t> compute(const bpf_insn& one, std::uint64_t left, std::uint64_t right) {
  const bool narrow = class_of(one) == BPF_ALU;
  if (one.off != 0) return std::nullopt;  // signed
  if (narrow) {
    left = static_cast<std::uint32_t>(left);
    right = static_cast<std::uint32_t>(right);
  }
  const unsigned width = narrow ? 32 : 64;
  std::uint64_t result = 0;
  switch (operation_of(one)) {
    case BPF_MOV: result = right; break;
    case BPF_ADD: result = left + right; break;
    case BPF_SUB: result = left - right; break;
    case BPF_AND: result = left & right; break;
    case BPF_OR: result = left | right; break;
    case BPF_XOR: result = left ^ right; break;
    case BPF_LSH: result = left << right % width; break;
    case BPF_RSH: result = left >> right % width; break;
    default: return std::nullopt;
  }
  return narrow ? static_cast<std::uint32_t>(result) : result;
}

std::optional<bool> compare(const bpf_insn& one, std::uint64_t left, std::uint64_t right) {
  auto signed_left = static_cast<std::int64_t>(left);
  auto signed_right = static_cast<std::int64_t>(right);
  if (class_of(one) == BPF_JMP32) {
    left = static_cast<std::uint32_t>(left);
    right = static_cast<std::uint32_t>(right);
    signed_left = static_cast<std::int32_t>(left);
    signed_right = static_cast<std::int32_t>(right);
  }
  switch (operation_of(one)) {
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
    default: return std::nullopt;
  }
}

}  // namespace zctrace
