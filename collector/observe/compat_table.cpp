// SPDX-License-Identifier: MIT
// From arch/x86/entry/syscalls/syscall_32.tbl and arm64's unistd32.h.
#include "collector/observe/compat_table.h"

#include <sys/syscall.h>

#include <limits>

namespace zctrace {
namespace {

#ifndef SYS_fork  // arm64 has one call for all of them
#define SYS_fork SYS_clone
#define SYS_vfork SYS_clone
#endif

constexpr int kNone = -1;

struct Translated {
  int i386;
  int aarch32;
  long number;
};

constexpr Translated kTranslated[] = {
    {0, 0, SYS_restart_syscall},
    {2, 2, SYS_fork},
    {3, 3, SYS_read},
    {4, 4, SYS_write},
    {54, 54, SYS_ioctl},
    {90, kNone, SYS_mmap},
    {91, 91, SYS_munmap},
    {119, 119, SYS_rt_sigreturn},
    {120, 120, SYS_clone},
    {145, 145, SYS_readv},
    {146, 146, SYS_writev},
    {173, 173, SYS_rt_sigreturn},
    {180, 180, SYS_pread64},
    {181, 181, SYS_pwrite64},
    {187, 187, SYS_sendfile},
    {190, 190, SYS_vfork},
    {192, 192, SYS_mmap},
    {239, 239, SYS_sendfile},
    {kNone, 289, SYS_sendto},    // send
    {kNone, 291, SYS_recvfrom},  // recv
    {245, 243, SYS_io_setup},
    {246, 244, SYS_io_destroy},
    {247, 245, SYS_io_getevents},
    {248, 246, SYS_io_submit},
    {279, 276, SYS_mq_timedsend},
    {280, 277, SYS_mq_timedreceive},
    {313, 340, SYS_splice},
    {315, 342, SYS_tee},
    {316, 343, SYS_vmsplice},
    {333, 361, SYS_preadv},
    {334, 362, SYS_pwritev},
    {337, 365, SYS_recvmmsg},
    {345, 374, SYS_sendmmsg},
    {347, 376, SYS_process_vm_readv},
    {348, 377, SYS_process_vm_writev},
    {369, 290, SYS_sendto},
    {370, 296, SYS_sendmsg},
    {371, 292, SYS_recvfrom},
    {372, 297, SYS_recvmsg},
    {377, 391, SYS_copy_file_range},
    {378, 392, SYS_preadv2},
    {379, 393, SYS_pwritev2},
    {385, 399, SYS_io_pgetevents},
    {400, 301, SYS_msgsnd},
    {401, 302, SYS_msgrcv},
    {416, 416, SYS_io_pgetevents},    // io_pgetevents_time64
    {417, 417, SYS_recvmmsg},         // recvmmsg_time64
    {418, 418, SYS_mq_timedsend},     // mq_timedsend_time64
    {419, 419, SYS_mq_timedreceive},  // mq_timedreceive_time64
    {435, 435, SYS_clone3},
};

// From linux/net.h.
struct SocketCall {
  int call;
  long number;
};

constexpr SocketCall kSocketCalls[] = {
    {9, SYS_sendto},   {10, SYS_recvfrom}, {11, SYS_sendto},   {12, SYS_recvfrom},
    {16, SYS_sendmsg}, {17, SYS_recvmsg},  {19, SYS_recvmmsg}, {20, SYS_sendmmsg},
};

}  // namespace

CompatTable compat_table() {
  CompatTable table{};
  table.calls.fill(ZC_CALL_UNKNOWN);
  table.socketcalls.fill(ZC_CALL_UNKNOWN);
  for (const Translated& call : kTranslated) {
    const auto number = static_cast<std::uint16_t>(call.number);
#if defined(__x86_64__)
    if (call.i386 != kNone) table.calls.at(static_cast<std::size_t>(call.i386)) = number;
#else
    if (call.aarch32 != kNone) table.calls.at(static_cast<std::size_t>(call.aarch32)) = number;
#endif
  }
#if defined(__x86_64__)
  table.socketcall = 102;
  for (const SocketCall& call : kSocketCalls)
    table.socketcalls.at(static_cast<std::size_t>(call.call)) =
        static_cast<std::uint16_t>(call.number);
#else
  table.socketcall = std::numeric_limits<std::uint32_t>::max();
  static_cast<void>(kSocketCalls);
#endif
  return table;
}

}  // namespace zctrace
