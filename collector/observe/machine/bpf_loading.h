// SPDX-License-Identifier: MIT
// What loading any BPF object takes: the reason why the kernel refuses, and facts that programs
// need.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "collector/os/error.h"

struct bpf_object;
struct bpf_prog_info;
struct bpf_program;

namespace zctrace {

// From now on keeps libbpf's last warning of this thread for bpf_load_error(), instead of printing
// it. One object is loaded at a time.
void keep_bpf_warnings();
// Has bpf_load_error() tell `warning`, unless there was one before.
void keep_bpf_warning(const std::string& warning);
// Whether ZCTRACE_DEBUG asks for the verifier's logs.
bool wants_verifier_log();
// What failed, why, and what the user can do about it. `error` is an errno value (positive).
Error bpf_load_error(const std::string& what, int error);
// For a process that may not open enough files. Says how to raise the limit.
Error too_few_files(const std::string& what);

// The inode number of zctrace's own PID namespace. Throws Error (cannot run here).
std::uint32_t own_pid_namespace();

// Calls `use` for each program of an object that is loaded, with what the kernel says of it.
// Programs of which it says nothing are left out.
void for_each_loaded(
    const bpf_object* object,
    const std::function<void(const bpf_program* program, const bpf_prog_info& info)>& use);
// Runs of an object's programs that the kernel left out because they were running already.
std::uint64_t missed_runs(const bpf_object* object);

}  // namespace zctrace
