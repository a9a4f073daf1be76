// Why a read request came: the kernel does not say, but the task behind it can be looked at.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace zctrace::fuse {

// What a task is doing, from /proc/TID/syscall while a read request of it waits.
enum class TaskState {
  faulting,  // "-1 …": asleep outside any call, so in a page fault
  reading,   // "0 0x3 …": asleep in a call that reads files
  mapping,   // asleep in a call about mappings: mmap with MAP_POPULATE, madvise, mlock
  elsewhere, // running, or asleep in another call: the request is readahead, or a fault on that
             // call's buffer
};

TaskState state_in(std::string_view proc_syscall);

struct TaskLook {
  TaskState state = TaskState::elsewhere;
  bool refused = false;  // this task may not be looked at: asking again is useless
};

// Looks at `tid`. Takes a few microseconds, never waits for the task, and takes no lock that a
// task in a page fault could hold. `proc` is a descriptor of /proc.
TaskLook look_at(int proc, pid_t tid) noexcept;

}  // namespace zctrace::fuse
