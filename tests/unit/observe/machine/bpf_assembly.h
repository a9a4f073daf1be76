// SPDX-License-Identifier: MIT
// BPF programs for tests of what changes them.
#pragma once

#include <linux/bpf.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

#include "collector/observe/machine/constant_folding.h"

namespace zctrace::assembly {

constexpr int kMap = 7;
constexpr std::uint8_t kR0 = 0, kR1 = 1, kR2 = 2, kR6 = 6, kR10 = 10;

// A byte 1, a byte 0, two bytes 0x1234, four bytes 0x80000000, eight bytes 3.
constexpr std::array<std::uint8_t, 16> kContent = {1, 0, 0x34, 0x12, 0, 0, 0, 0x80, 3};
constexpr std::int32_t kOne = 0, kZero = 1, kHalf = 2, kWord = 4, kLong = 8;

inline BpfConstants constants() { return {kMap, std::as_bytes(std::span(kContent))}; }

inline bpf_insn insn(int code, std::uint8_t to, std::uint8_t from, int off, std::int32_t imm) {
  return {.code = static_cast<std::uint8_t>(code),
          .dst_reg = to,
          .src_reg = from,
          .off = static_cast<std::int16_t>(off),
          .imm = imm};
}
inline bpf_insn set(std::uint8_t to, std::int32_t imm) {
  return insn(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, imm);
}
inline bpf_insn copy(std::uint8_t to, std::uint8_t from) {
  return insn(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}
inline bpf_insn load(int size, std::uint8_t to, std::uint8_t from, int off = 0) {
  return insn(BPF_LDX | BPF_MEM | size, to, from, off, 0);
}
inline bpf_insn jump_if(int operation, std::uint8_t left, std::int32_t imm, int off) {
  return insn(BPF_JMP | operation | BPF_K, left, 0, off, imm);
}
inline bpf_insn jump(int off) { return insn(BPF_JMP | BPF_JA, 0, 0, off, 0); }
inline bpf_insn leave() { return insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }
inline bpf_insn help(std::int32_t number) { return insn(BPF_JMP | BPF_CALL, 0, 0, 0, number); }
inline bpf_insn call(std::int32_t distance) {
  return insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, distance);
}
inline std::array<bpf_insn, 2> wide(std::uint8_t to, std::uint8_t kind, std::int32_t low,
                                    std::int32_t high) {
  return {insn(BPF_LD | BPF_IMM | BPF_DW, to, kind, 0, low), insn(0, 0, 0, 0, high)};
}

class Assembly {
 public:
  Assembly& operator<<(const bpf_insn& one) {
    text.instructions.push_back(one);
    return *this;
  }
  Assembly& operator<<(const std::array<bpf_insn, 2>& one) { return *this << one[0] << one[1]; }
  Assembly& address(std::uint8_t to, std::int32_t offset, std::int32_t map = kMap) {
    return *this << wide(to, BPF_PSEUDO_MAP_VALUE, map, offset);
  }
  // if (the constant at `offset`) is 0, jumps over `off` instructions
  Assembly& unless(int size, std::int32_t offset, int off) {
    return address(kR6, offset) << load(size, kR6, kR6) << jump_if(BPF_JEQ, kR6, 0, off);
  }
  std::string shown() const {
    std::string lines;
    for (const bpf_insn& one : text.instructions) {
      char line[64];
      std::snprintf(line, sizeof(line), "%02x %u %u %d %d\n", one.code, one.dst_reg, one.src_reg,
                    one.off, one.imm);
      lines += line;
    }
    return lines;
  }
  std::string folded() {
    fold_constants(text, constants());
    return shown();
  }

  BpfText text;
};

inline Assembly program() { return {}; }

}  // namespace zctrace::assembly
