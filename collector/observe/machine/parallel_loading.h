// SPDX-License-Identifier: MIT
// Has the kernel verify the programs of an object on several CPUs at once. libbpf loads one program
// after the other, and most of what a start takes is the verifier's. The programs are those in the
// sections zc_tp_btf/TRACEPOINT and zc_iter/KIND.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

struct bpf_map;
struct bpf_program;

namespace zctrace {

class KernelTypes;

// From now on libbpf knows these sections. Call it before an object is opened that has any. Throws
// Error (cannot run here).
void allow_parallel_loading();

// Of a program in such a section; nullopt: it is not at a tracepoint.
std::optional<std::string_view> tracepoint_of(const bpf_program* program);

// Calls `load`, which has libbpf load one object, and loads its programs of these sections in
// several threads, which have ended when it returns. `constants`: the read-only data of the object;
// what it excludes is left out. Returns what `load` does: 0, or a negative errno. If the kernel
// refuses a program, bpf_load_error() names it.
int load_in_parallel(const std::function<int()>& load, bpf_map* constants,
                     const KernelTypes& kernel);

}  // namespace zctrace
