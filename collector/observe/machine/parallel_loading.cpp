// SPDX-License-Identifier: MIT
// libbpf asks a handler before it loads a program, when all of it is relocated. The handler keeps
// the program and gives libbpf one that does nothing in its place; what the kernel makes of the
// true one takes over the descriptor of the other. For the other, which is of a type that needs no
// BTF, libbpf need not read the kernel's, which takes 15 ms.
#include "collector/observe/machine/parallel_loading.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "bpf/abi.h"
#include "collector/observe/machine/bpf_loading.h"
#include "collector/observe/machine/kernel_types.h"
#include "collector/os/descriptor.h"

namespace zctrace {
namespace {

// The largest program takes a third of the time of all.
constexpr unsigned kMostThreads = 3;
constexpr std::string_view kTracepoint = "tp_btf/";
constexpr std::string_view kIterator = "iter/";

struct KeptProgram {
  bpf_program* program;
  std::vector<bpf_insn> instructions;
  bpf_prog_load_opts options;
  int error = 0;
};

struct ObjectLoading {
  const KernelTypes& kernel;
  std::uint32_t cast;  // bpf_rdonly_cast(); 0: this kernel does not have it
  std::vector<KeptProgram> programs;
};

thread_local ObjectLoading* current = nullptr;  // what load_in_parallel() loads

bool is_handled(std::string_view section) {
  return section.starts_with(kTracepoint) || section.starts_with(kIterator);
}

void find_target(std::string_view section, const KernelTypes& kernel, bpf_prog_load_opts& options) {
  options.attach_btf_id =
      section.starts_with(kTracepoint)
          ? kernel.tracepoint_id(section.substr(kTracepoint.size()))
          : kernel.function_id("bpf_iter_" + std::string(section.substr(kIterator.size())));
}

// Makes calls of bpf_rdonly_cast(), see bpf/settings.h, what the kernel expects. Without that
// function they are never reached.
void fill_in_casts(std::vector<bpf_insn>& instructions, std::uint32_t function) {
  for (bpf_insn& one : instructions) {
    if (one.code != (BPF_JMP | BPF_CALL) || one.src_reg != 0 || one.imm != ZC_RDONLY_CAST) continue;
    if (function != 0) {
      one.src_reg = BPF_PSEUDO_KFUNC_CALL;
      one.imm = static_cast<std::int32_t>(function);
    } else {
      one = {.code = BPF_ALU64 | BPF_MOV | BPF_K,
             .dst_reg = BPF_REG_0,
             .src_reg = 0,
             .off = 0,
             .imm = 0};
    }
  }
}

int keep_program(bpf_program* program, bpf_prog_load_opts* options, long) noexcept {
  if (current == nullptr) return 0;
  try {
    const bpf_insn* const begin = bpf_program__insns(program);
    KeptProgram& kept = current->programs.emplace_back(
        KeptProgram{program, {begin, begin + bpf_program__insn_cnt(program)}, *options});
    find_target(bpf_program__section_name(program), current->kernel, kept.options);
    fill_in_casts(kept.instructions, current->cast);
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
  options->func_info_cnt = 0;
  options->line_info_cnt = 0;
  bpf_insn nothing[2] = {};
  nothing[0].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = 0
  nothing[1].code = BPF_JMP | BPF_EXIT;
  return bpf_program__set_insns(program, nothing, 2);
}

int attach_to_tracepoint(const bpf_program* program, long, bpf_link** link) noexcept {
  *link = bpf_program__attach_trace(program);
  return *link == nullptr ? -errno : 0;
}

int attach_iterator(const bpf_program* program, long, bpf_link** link) noexcept {
  *link = bpf_program__attach_iter(program, nullptr);
  return *link == nullptr ? -errno : 0;
}

// Each result takes its place at once: a process may have few descriptors.
void verify(KeptProgram& one) noexcept {
  const Descriptor loaded(bpf_prog_load(BPF_PROG_TYPE_TRACING, bpf_program__name(one.program),
                                        "GPL", one.instructions.data(), one.instructions.size(),
                                        &one.options));
  if (!loaded || ::dup3(loaded.get(), bpf_program__fd(one.program), O_CLOEXEC) < 0)
    one.error = errno;
}

void verify_all(std::vector<KeptProgram>& programs) {
  std::sort(programs.begin(), programs.end(), [](const KeptProgram& a, const KeptProgram& b) {
    return a.instructions.size() > b.instructions.size();
  });
  std::atomic<std::size_t> next = 0;
  const auto work = [&]() noexcept {
    for (std::size_t i = next++; i < programs.size(); i = next++) verify(programs[i]);
  };
  std::vector<std::thread> threads;
  try {
    for (unsigned n = std::min(kMostThreads, std::thread::hardware_concurrency()); n > 1; n--)
      threads.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads are allowed: those that there are do the work.
  }
  work();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

void allow_parallel_loading() {
  LIBBPF_OPTS(libbpf_prog_handler_opts, tracepoint, .prog_prepare_load_fn = keep_program,
              .prog_attach_fn = attach_to_tracepoint);
  LIBBPF_OPTS(libbpf_prog_handler_opts, iterator, .prog_prepare_load_fn = keep_program,
              .prog_attach_fn = attach_iterator);
  static const int kHandlers[] = {
      libbpf_register_prog_handler("tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, &tracepoint),
      libbpf_register_prog_handler("iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, &iterator)};
  for (const int handler : kHandlers)
    if (handler < 0) throw bpf_load_error("cannot tell libbpf how to load programs", -handler);
}

int load_in_parallel(bpf_object* object, const std::function<int()>& load,
                     const KernelTypes& kernel) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (is_handled(bpf_program__section_name(program)))
      bpf_program__set_type(program, BPF_PROG_TYPE_RAW_TRACEPOINT);
  }
  ObjectLoading loading{kernel, kernel.function_id("bpf_rdonly_cast"), {}};
  current = &loading;
  const int error = load();
  current = nullptr;
  if (error != 0) return error;
  verify_all(loading.programs);
  for (const KeptProgram& one : loading.programs) {
    if (one.error == 0) continue;
    keep_bpf_warning("prog '" + std::string(bpf_program__name(one.program)) +
                     "': BPF program load failed: " + std::generic_category().message(one.error));
    return -one.error;
  }
  return 0;
}

}  // namespace zctrace
