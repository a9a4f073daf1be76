// SPDX-License-Identifier: MIT
// Has the kernel verify the programs of an object on several CPUs at once. libbpf loads one program
// after the other, and most of what a start takes is the verifier's.
#pragma once

#include <functional>

struct bpf_object;

namespace zctrace {

class KernelTypes;

// From now on objects can be loaded by load_in_parallel(). Call it before one is opened. It is for
// the whole process: a program that libbpf loads itself then needs
// bpf_program__set_attach_target(). Throws Error (cannot run here).
void allow_parallel_loading();

// Calls `load`, which has libbpf load `object`, and loads its programs at BTF tracepoints and its
// iterators in several threads, which have ended when it returns. Returns what `load` does: 0, or a
// negative errno. If the kernel refuses a program, bpf_load_error() names it.
int load_in_parallel(bpf_object* object, const std::function<int()>& load,
                     const KernelTypes& kernel);

}  // namespace zctrace
