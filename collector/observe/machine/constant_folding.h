// SPDX-License-Identifier: MIT
// Removes from a BPF program what its read-only data excludes. The kernel's verifier would, too,
// but it moves the whole rest of the program for each branch that it removes, which takes it a
// tenth of the time of a load, and it checks what leads to the branch first. This keeps no state
// and takes time about linear in the program.
#pragma once

#include <linux/bpf.h>

#include <cstddef>
#include <span>
#include <vector>

namespace zctrace {

// A program with the functions that it calls, as the kernel takes it, and what describes both.
struct BpfText {
  std::vector<bpf_insn> instructions;
  std::vector<bpf_func_info> functions;  // none, or one for each function, in their order
  std::vector<bpf_line_info> lines;      // none, or at least one at the beginning of each function
};

// The read-only data of an object, which no longer changes.
struct BpfConstants {
  int map = -1;  // its descriptor: what instructions that take an address in it name
  std::span<const std::byte> content;
};

// The same program without what can't be reached, and without loads of constants that nothing uses.
// Text that the kernel would refuse, with jumps to outside for instance, stays as it is. Throws
// std::bad_alloc.
void fold_constants(BpfText& text, const BpfConstants& constants);

}  // namespace zctrace
