// SPDX-License-Identifier: MIT
// Numbers of 32-bit calls, translated into those of the 64-bit table.
#pragma once

#include <array>
#include <cstdint>

#include "bpf/abi.h"

namespace zctrace {

// Indices into zc_config.calls[]. ZC_CALL_UNKNOWN for a call that moves no bytes and whose result
// has no special meaning.
struct CompatTable {
  std::array<std::uint16_t, ZC_MAX_SYSCALLS> calls;
  std::array<std::uint16_t, ZC_MAX_SOCKETCALLS> socketcalls;
  std::uint32_t socketcall;  // its own number; UINT32_MAX where there is none
};

CompatTable compat_table();

}  // namespace zctrace
