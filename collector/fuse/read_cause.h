// Why a read request came: the kernel does not say, but the waiting task can be looked at.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "collector/fuse/operation.h"

namespace zctrace::fuse {

// What /proc/TID/syscall, as it is while a read request of that task waits, tells:
//   "-1 …"     it sleeps outside any call, so in a page fault           -> mmap
//   "0 0x3 …"  it sleeps in a call that reads files                     -> read
//              in one that only reads or writes the caller's memory,
//              such as write(2) out of a mapping                        -> mmap
//   "running"  it did not wait (readahead), or does not wait yet        -> read_or_mmap
Operation cause_in(std::string_view proc_syscall);

struct ReadCause {
  Operation operation = Operation::read_or_mmap;
  bool refused = false;  // this task may not be looked at: asking again is useless
};

// Looks at `tid`. Takes a few microseconds, never waits for the task, and takes no lock that a
// task in a page fault could hold.
ReadCause cause_of_read(int proc, pid_t tid) noexcept;

}  // namespace zctrace::fuse
