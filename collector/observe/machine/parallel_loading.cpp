// SPDX-License-Identifier: MIT
// libbpf asks a handler before it loads a program, when all of it is relocated. The handler keeps
// the program and gives libbpf one that does nothing in its place; what the kernel makes of the
// true one takes over the descriptor of the other. The other is of a type that needs no BTF, so
// that libbpf need not read the kernel's, which takes 15 ms.
#include "collector/observe/machine/parallel_loading.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "bpf/abi.h"
#include "collector/observe/machine/bpf_loading.h"
#include "collector/observe/machine/constant_folding.h"
#include "collector/observe/machine/kernel_types.h"
#include "collector/os/blocked_signals.h"
#include "collector/os/descriptor.h"

namespace zctrace {
namespace {

// The largest program takes a third of the time of all.
constexpr unsigned kMostThreads = 3;
constexpr std::string_view kOwn = "zc_";  // what sets sections apart from those that libbpf knows
constexpr std::string_view kTracepoint = "zc_tp_btf/";
constexpr std::string_view kIterator = "zc_iter/";

struct KeptProgram {
  bpf_program* program;
  BpfText text;
  bpf_prog_load_opts options;
  int error = 0;
};

struct ObjectLoading {
  const KernelTypes& kernel;
  std::uint32_t cast;  // bpf_rdonly_cast(); 0: this kernel does not have it
  std::vector<KeptProgram> programs;
};

thread_local ObjectLoading* current = nullptr;  // what load_in_parallel() loads

// The library's structure may be longer or shorter than the one of its header here.
bpf_prog_load_opts copy_of(const bpf_prog_load_opts& options) {
  bpf_prog_load_opts copy = {};
  std::memcpy(&copy, &options, std::min(options.sz, sizeof(copy)));
  copy.sz = sizeof(copy);
  copy.fd_array = nullptr;  // ends with the load; the programs call no function of a module
  return copy;
}

// The records may be longer than those of the header here, never shorter.
template <typename Record>
std::vector<Record> records(const void* from, std::size_t count, std::size_t bytes) {
  std::vector<Record> copies(count);
  for (std::size_t i = 0; i < copies.size(); i++)
    std::memcpy(&copies[i], static_cast<const char*>(from) + i * bytes, sizeof(Record));
  return copies;
}

BpfText text_of(const bpf_program* program, const bpf_prog_load_opts& options) {
  const bpf_insn* const begin = bpf_program__insns(program);
  return {.instructions = {begin, begin + bpf_program__insn_cnt(program)},
          .functions = records<bpf_func_info>(options.func_info, options.func_info_cnt,
                                              options.func_info_rec_size),
          .lines = records<bpf_line_info>(options.line_info, options.line_info_cnt,
                                          options.line_info_rec_size)};
}

BpfConstants constants_of(bpf_map* map) {
  std::size_t bytes = 0;
  const void* const content = bpf_map__initial_value(map, &bytes);
  return {.map = bpf_map__fd(map), .content = {static_cast<const std::byte*>(content), bytes}};
}

// 0: this kernel does not have it.
std::uint32_t target_of(std::string_view section, const KernelTypes& kernel) {
  if (section.starts_with(kTracepoint))
    return kernel.tracepoint_id(section.substr(kTracepoint.size()));
  return kernel.function_id("bpf_iter_" + std::string(section.substr(kIterator.size())));
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

std::string named(const bpf_program* program) {
  return "prog '" + std::string(bpf_program__name(program)) + "': ";
}

int keep_program(bpf_program* program, bpf_prog_load_opts* options, long) noexcept {
  if (current == nullptr) return -EINVAL;
  try {
    const std::string section = bpf_program__section_name(program);
    KeptProgram& kept = current->programs.emplace_back(
        KeptProgram{program, text_of(program, *options), copy_of(*options)});
    fill_in_casts(kept.text.instructions, current->cast);
    kept.options.attach_btf_id = target_of(section, current->kernel);
    if (kept.options.attach_btf_id == 0) {
      keep_bpf_warning(named(program) + "this kernel has no " + section.substr(kOwn.size()));
      return -ESRCH;
    }
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

int register_handler(const char* sections, bpf_attach_type type,
                     libbpf_prog_attach_fn_t attach) noexcept {
  libbpf_prog_handler_opts options = {};
  options.sz = sizeof(options);
  options.prog_prepare_load_fn = keep_program;
  options.prog_attach_fn = attach;
  return libbpf_register_prog_handler(sections, BPF_PROG_TYPE_RAW_TRACEPOINT, type, &options);
}

int load_program(const KeptProgram& one, bpf_prog_load_opts options) noexcept {
  options.func_info = one.text.functions.data();
  options.func_info_cnt = static_cast<__u32>(one.text.functions.size());
  options.func_info_rec_size = sizeof(bpf_func_info);
  options.line_info = one.text.lines.data();
  options.line_info_cnt = static_cast<__u32>(one.text.lines.size());
  options.line_info_rec_size = sizeof(bpf_line_info);
  return bpf_prog_load(BPF_PROG_TYPE_TRACING, bpf_program__name(one.program), "GPL",
                       one.text.instructions.data(), one.text.instructions.size(), &options);
}

// Each result takes its place at once: a process may have few descriptors.
void verify(KeptProgram& one, const BpfConstants& constants) noexcept {
  try {
    fold_constants(one.text, constants);
  } catch (const std::bad_alloc&) {
    one.error = ENOMEM;
    return;
  }
  const Descriptor loaded(load_program(one, one.options));
  if (!loaded || ::dup3(loaded.get(), bpf_program__fd(one.program), O_CLOEXEC) < 0)
    one.error = errno;
}

void print_verifier_log(const KeptProgram& refused) {
  std::vector<char> log(1 << 24);
  bpf_prog_load_opts options = refused.options;
  options.log_level = 1;
  options.log_buf = log.data();
  options.log_size = static_cast<__u32>(log.size());
  const Descriptor ignored(load_program(refused, options));
  std::fprintf(stderr, "%s%s\n", named(refused.program).c_str(), log.data());
}

void verify_all(std::vector<KeptProgram>& programs, const BpfConstants& constants) {
  std::sort(programs.begin(), programs.end(), [](const KeptProgram& a, const KeptProgram& b) {
    return a.text.instructions.size() > b.text.instructions.size();
  });
  std::atomic<std::size_t> next = 0;
  const auto work = [&]() noexcept {
    for (std::size_t i = next++; i < programs.size(); i = next++) verify(programs[i], constants);
  };
  const unsigned count = std::min(kMostThreads, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  threads.reserve(kMostThreads);
  try {
    const BlockedSignals blocked;
    while (threads.size() + 1 < count) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads are allowed: those that there are do the work.
  } catch (const std::bad_alloc&) {
  }
  work();
}

}  // namespace

void allow_parallel_loading() {
  static const int kHandlers[] = {
      register_handler("zc_tp_btf+", BPF_TRACE_RAW_TP, attach_to_tracepoint),
      register_handler("zc_iter+", BPF_TRACE_ITER, attach_iterator)};
  for (const int handler : kHandlers)
    if (handler < 0) throw bpf_load_error("cannot tell libbpf how to load programs", -handler);
}

std::optional<std::string_view> tracepoint_of(const bpf_program* program) {
  const std::string_view section = bpf_program__section_name(program);
  if (!section.starts_with(kTracepoint)) return std::nullopt;
  return section.substr(kTracepoint.size());
}

int load_in_parallel(const std::function<int()>& load, bpf_map* constants,
                     const KernelTypes& kernel) {
  ObjectLoading loading{kernel, kernel.function_id("bpf_rdonly_cast"), {}};
  current = &loading;
  const int error = load();
  current = nullptr;
  if (error != 0) return error;
  verify_all(loading.programs, constants_of(constants));
  for (const KeptProgram& one : loading.programs) {
    if (one.error == 0) continue;
    keep_bpf_warning(named(one.program) +
                     "BPF program load failed: " + std::generic_category().message(one.error));
    if (wants_verifier_log()) print_verifier_log(one);
    return -one.error;
  }
  return 0;
}

}  // namespace zctrace
