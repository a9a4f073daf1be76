// SPDX-License-Identifier: MIT
// What syscalls and io_uring operations move, and the groups of -e.
#include "collector/observe/syscall_table.h"

#include <sys/syscall.h>

#include <algorithm>
#include <optional>
#include <set>

#include "collector/observe/verify/kernel_accounting.h"
#include "collector/os/error.h"
#include "collector/os/split.h"

namespace zctrace {
namespace {

struct Described {
  long number;
  const char* name;
  zc_end from;
  zc_end to;
  zc_result result;
  Copy copy;
};

// Data syscalls, and syscalls without bytes that have their own row.
constexpr Described kDescribed[] = {
    {SYS_read, "read", ZC_END_ARG0, ZC_END_USER, ZC_RESULT_BYTES, Copy::copied},
    {SYS_pread64, "pread64", ZC_END_ARG0, ZC_END_USER, ZC_RESULT_BYTES, Copy::copied},
    {SYS_readv, "readv", ZC_END_ARG0, ZC_END_USER, ZC_RESULT_BYTES, Copy::copied},
    {SYS_preadv, "preadv", ZC_END_ARG0, ZC_END_USER, ZC_RESULT_BYTES, Copy::copied},
    {SYS_preadv2, "preadv2", ZC_END_ARG0, ZC_END_USER, ZC_RESULT_BYTES, Copy::copied},
    {SYS_write, "write", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_BYTES, Copy::copied},
    {SYS_pwrite64, "pwrite64", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_BYTES, Copy::copied},
    {SYS_writev, "writev", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_BYTES, Copy::copied},
    {SYS_pwritev, "pwritev", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_BYTES, Copy::copied},
    {SYS_pwritev2, "pwritev2", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_BYTES, Copy::copied},
    {SYS_sendto, "sendto", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_SENDTO, Copy::copied},
    {SYS_sendmsg, "sendmsg", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_SENDMSG, Copy::copied},
    {SYS_sendmmsg, "sendmmsg", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_SENDMMSG, Copy::copied},
    {SYS_recvfrom, "recvfrom", ZC_END_ARG0, ZC_END_USER, ZC_RESULT_RECV, Copy::copied},
    {SYS_recvmsg, "recvmsg", ZC_END_ARG0, ZC_END_USER, ZC_RESULT_RECVMSG, Copy::copied},
    {SYS_recvmmsg, "recvmmsg", ZC_END_ARG0, ZC_END_USER, ZC_RESULT_RECVMMSG, Copy::copied},
    {SYS_sendfile, "sendfile", ZC_END_ARG1, ZC_END_ARG0, ZC_RESULT_BYTES, Copy::in_kernel},
    {SYS_splice, "splice", ZC_END_ARG0, ZC_END_ARG2, ZC_RESULT_BYTES, Copy::in_kernel},
    {SYS_tee, "tee", ZC_END_ARG0, ZC_END_ARG1, ZC_RESULT_TEE, Copy::in_kernel},
    {SYS_copy_file_range, "copy_file_range", ZC_END_ARG0, ZC_END_ARG2, ZC_RESULT_BYTES,
     Copy::in_kernel},
    {SYS_vmsplice, "vmsplice", ZC_END_USER, ZC_END_ARG0, ZC_RESULT_VMSPLICE, Copy::lent},
    {SYS_process_vm_readv, "process_vm_readv", ZC_END_USER, ZC_END_USER, ZC_RESULT_BYTES,
     Copy::copied},
    {SYS_process_vm_writev, "process_vm_writev", ZC_END_USER, ZC_END_USER, ZC_RESULT_BYTES,
     Copy::copied},
    {SYS_mq_timedsend, "mq_timedsend", ZC_END_USER, ZC_END_OTHER, ZC_RESULT_LENGTH, Copy::copied},
    {SYS_mq_timedreceive, "mq_timedreceive", ZC_END_OTHER, ZC_END_USER, ZC_RESULT_BYTES,
     Copy::copied},
    {SYS_msgsnd, "msgsnd", ZC_END_USER, ZC_END_OTHER, ZC_RESULT_LENGTH, Copy::copied},
    {SYS_msgrcv, "msgrcv", ZC_END_OTHER, ZC_END_USER, ZC_RESULT_BYTES, Copy::copied},
    {SYS_mmap, "mmap", ZC_END_NONE, ZC_END_NONE, ZC_RESULT_NONE, Copy::none},
    {SYS_munmap, "munmap", ZC_END_NONE, ZC_END_NONE, ZC_RESULT_NONE, Copy::none},
};

// Where the memory is that they read or write; of the others, bytes are not followed.
constexpr std::pair<long, zc_memory> kMemory[] = {
    {SYS_read, ZC_MEMORY_BUFFER},     {SYS_pread64, ZC_MEMORY_BUFFER},
    {SYS_recvfrom, ZC_MEMORY_BUFFER}, {SYS_write, ZC_MEMORY_BUFFER},
    {SYS_pwrite64, ZC_MEMORY_BUFFER}, {SYS_sendto, ZC_MEMORY_BUFFER},
    {SYS_readv, ZC_MEMORY_VECTOR},    {SYS_preadv, ZC_MEMORY_VECTOR},
    {SYS_preadv2, ZC_MEMORY_VECTOR},  {SYS_writev, ZC_MEMORY_VECTOR},
    {SYS_pwritev, ZC_MEMORY_VECTOR},  {SYS_pwritev2, ZC_MEMORY_VECTOR},
    {SYS_recvmsg, ZC_MEMORY_MESSAGE}, {SYS_sendmsg, ZC_MEMORY_MESSAGE},
};

// Special for how their results are read, but rows of their own only in %all.
constexpr std::pair<long, zc_result> kSpecial[] = {
    {SYS_clone, ZC_RESULT_FORK},
    {SYS_clone3, ZC_RESULT_FORK},
#ifdef SYS_fork  // not on arm64
    {SYS_fork, ZC_RESULT_FORK},
    {SYS_vfork, ZC_RESULT_FORK},
#endif
    {SYS_restart_syscall, ZC_RESULT_RESTART},
};

// Syscalls that wait for events, processes or time, so their time says nothing about work.
constexpr std::string_view kWaiting[] = {
    "clock_nanosleep", "epoll_pwait", "epoll_pwait2", "epoll_wait",    "futex",
    "futex_wait",      "futex_waitv", "io_getevents", "io_pgetevents", "nanosleep",
    "pause",           "poll",        "ppoll",        "pselect6",      "rt_sigsuspend",
    "rt_sigtimedwait", "select",      "wait4",        "waitid",
};
constexpr std::string_view kWait = "wait";

struct UringOp {
  std::uint8_t opcode;
  const char* name;
  zc_end from;
  zc_end to;
  Copy copy;
  zc_result result = ZC_RESULT_BYTES;
};

// Opcodes are UAPI (enum io_uring_op) and the same on every architecture; numbers, because
// the build's header may be older than the kernel that it runs on.
constexpr UringOp kUringOps[] = {
    {1, "readv", ZC_END_REQUEST, ZC_END_USER, Copy::copied},
    {2, "writev", ZC_END_USER, ZC_END_REQUEST, Copy::copied},
    {4, "read_fixed", ZC_END_REQUEST, ZC_END_USER, Copy::copied},
    {5, "write_fixed", ZC_END_USER, ZC_END_REQUEST, Copy::copied},
    {9, "sendmsg", ZC_END_USER, ZC_END_REQUEST, Copy::copied},
    {10, "recvmsg", ZC_END_REQUEST, ZC_END_USER, Copy::copied, ZC_RESULT_RECVMSG},
    {22, "read", ZC_END_REQUEST, ZC_END_USER, Copy::copied},
    {23, "write", ZC_END_USER, ZC_END_REQUEST, Copy::copied},
    {26, "send", ZC_END_USER, ZC_END_REQUEST, Copy::copied},
    {27, "recv", ZC_END_REQUEST, ZC_END_USER, Copy::copied, ZC_RESULT_RECV},
    {30, "splice", ZC_END_SPLICE, ZC_END_REQUEST, Copy::in_kernel},
    {33, "tee", ZC_END_SPLICE, ZC_END_REQUEST, Copy::in_kernel, ZC_RESULT_TEE},
    {47, "send_zc", ZC_END_USER, ZC_END_REQUEST, Copy::copied},         // 6.0
    {48, "sendmsg_zc", ZC_END_USER, ZC_END_REQUEST, Copy::copied},      // 6.1
    {49, "read_multishot", ZC_END_REQUEST, ZC_END_USER, Copy::copied},  // 6.7
    {58, "recv_zc", ZC_END_REQUEST, ZC_END_USER, Copy::copied},         // 6.15
    {60, "readv_fixed", ZC_END_REQUEST, ZC_END_USER, Copy::copied},     // 6.15
    {61, "writev_fixed", ZC_END_USER, ZC_END_REQUEST, Copy::copied},    // 6.15
};

struct NumberedName {
  long number;
  const char* name;
};

// Every syscall of the architecture, from the C library's header at build time.
constexpr NumberedName kNames[] = {
#include "syscall_names.inc"
};

constexpr std::string_view kFiclone = "ioctl:FICLONE";
constexpr std::string_view kFiclonerange = "ioctl:FICLONERANGE";
constexpr std::string_view kAioRead = "aio:read";
constexpr std::string_view kAioWrite = "aio:write";

// The calls of native AIO; its requests, not these, move bytes.
constexpr std::pair<long, zc_result> kAioCalls[] = {
    {SYS_io_setup, ZC_RESULT_AIO_SET_UP},    {SYS_io_submit, ZC_RESULT_AIO_SUBMIT},
    {SYS_io_getevents, ZC_RESULT_AIO_REAP},  {SYS_io_pgetevents, ZC_RESULT_AIO_REAP},
    {SYS_io_destroy, ZC_RESULT_AIO_DESTROY},
};

bool is_syscall_name(std::string_view name) {
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](const NumberedName& known) { return name == known.name; });
}

// An operation of io_uring, as rows name it.
bool is_uring_name(std::string_view name) {
  constexpr std::string_view kPrefix = "io_uring:";
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  return name == "other" || std::any_of(std::begin(kUringOps), std::end(kUringOps),
                                        [&](const UringOp& known) { return name == known.name; });
}

using SyscallNames = std::set<std::string, std::less<>>;

bool is_waiting(std::string_view name) {
  return std::find(std::begin(kWaiting), std::end(kWaiting), name) != std::end(kWaiting);
}

// The names selected; `all` is set for %all.
SyscallNames select(std::string_view selection, bool& all) {
  SyscallNames names;
  auto add_if = [&](auto wanted) {
    for (const Described& call : kDescribed)
      if (wanted(call.copy)) names.emplace(call.name);
    for (const UringOp& op : kUringOps)
      if (wanted(op.copy)) names.insert(std::string("io_uring:") + op.name);
    if (wanted(Copy::in_kernel)) names.insert({std::string(kFiclone), std::string(kFiclonerange)});
    if (wanted(Copy::copied)) names.insert({std::string(kAioRead), std::string(kAioWrite)});
    if (wanted(Copy::none)) names.insert({"io_uring:other", std::string(kWait)});
  };
  for (const std::string_view part : split_list(selection)) {
    if (part == "%all") {
      all = true;
      add_if([](Copy) { return true; });
    } else if (part == "%io") {
      add_if([](Copy) { return true; });
    } else if (part == "%copy") {
      add_if([](Copy copy) { return copy == Copy::copied; });
    } else if (part == "%zerocopy") {
      add_if([](Copy copy) { return copy == Copy::in_kernel || copy == Copy::lent; });
    } else if (part == "sendfile64") {
      names.emplace("sendfile");
    } else if (part == kFiclone || part == kFiclonerange || part == kAioRead || part == kAioWrite ||
               part == kWait || is_syscall_name(part) || is_uring_name(part)) {
      names.emplace(part);
    } else {
      throw UnknownSyscall(std::string(part));
    }
  }
  if (names.empty()) throw Error("-e: no syscall selected", kExitUsage);
  return names;
}

}  // namespace

std::vector<std::string> syscall_names(std::string_view selection) {
  bool all = false;
  auto names = select(selection, all);
  if (all)
    for (const NumberedName& known : kNames) names.emplace(known.name);
  return {names.begin(), names.end()};
}

std::uint16_t SyscallTable::add_row(std::string name, Copy copy, bool asynchronous, bool shown) {
  // The events of native AIO lie in a ring that the process maps.
  const bool claimed = name.starts_with("aio:");
  rows_.push_back({std::move(name), copy, asynchronous, shown, claimed});
  return static_cast<std::uint16_t>(rows_.size() - 1);
}

void SyscallTable::claim_message_lengths() {
  for (RowMeaning& row : rows_) row.claimed |= row.name == "sendmmsg" || row.name == "recvmmsg";
}

SyscallTable::SyscallTable(std::string_view selection) {
  bool all = false;
  const SyscallNames names = select(selection, all);
  wide_ = all || names.size() > 64;
  const auto add = [&](std::string_view name, Copy copy, bool asynchronous) {
    return add_row(std::string(name), copy, asynchronous, names.contains(name));
  };

  add_row("other", Copy::none, false, true);
  add_row(std::string(kFoldedName), Copy::none, false, true);
  const std::uint16_t wait = add(kWait, Copy::none, false);
  for (const NumberedName& known : kNames) {
    if (known.number < 0 || known.number >= ZC_MAX_SYSCALLS - 1) continue;
    zc_call& call = calls_[known.number];
    if (!all && is_waiting(known.name)) call.row = wait;
    if (!all && !names.contains(known.name)) continue;
    const bool described =
        std::any_of(std::begin(kDescribed), std::end(kDescribed),
                    [&](const Described& call) { return call.number == known.number; });
    if (!described) call.row = add_row(known.name, Copy::none, false, true);
  }
  for (const Described& call : kDescribed) {
    if (call.copy == Copy::none && !names.contains(call.name)) continue;
    calls_[call.number] = {add(call.name, call.copy, false),
                           static_cast<__u8>(call.from),
                           static_cast<__u8>(call.to),
                           static_cast<__u8>(call.result),
                           0,
                           ZC_MEMORY_NONE,
                           0};
  }
  // Even if it is not selected, because the kernel counts it.
  for (const Described& call : kDescribed)
    calls_[call.number].accounted = accounting_of(call.name) != Accounting::none;
  for (const auto& [number, memory] : kMemory) calls_[number].memory = memory;
  for (const auto& [number, result] : kSpecial) calls_[number].result = result;
  calls_[SYS_ioctl].from = ZC_END_ARG0;
  calls_[SYS_ioctl].result = ZC_RESULT_CLONE_FILE;
  ficlone_row_ = add(kFiclone, Copy::in_kernel, false);
  ficlonerange_row_ = add(kFiclonerange, Copy::in_kernel, false);
  aio_read_row_ = add(kAioRead, Copy::copied, true);
  aio_write_row_ = add(kAioWrite, Copy::copied, true);
  for (const auto& [number, result] : kAioCalls) {
    calls_[number].from = calls_[number].to = ZC_END_OTHER;
    calls_[number].result = result;
  }

  const std::uint16_t uring_other = add("io_uring:other", Copy::none, true);
  for (zc_call& op : uring_ops_) op.row = uring_other;
  for (const UringOp& op : kUringOps) {
    const std::string name = std::string("io_uring:") + op.name;
    uring_ops_[op.opcode] = {add(name, op.copy, true),
                             static_cast<__u8>(op.from),
                             static_cast<__u8>(op.to),
                             static_cast<__u8>(op.result),
                             0,
                             ZC_MEMORY_NONE,
                             0};
  }
}

}  // namespace zctrace
