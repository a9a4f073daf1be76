// SPDX-License-Identifier: MIT
// Why a read request was sent. The kernel does not say, but the state of the task that sent it
// does.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string_view>

#include "collector/fuse/requesters/background_reader.h"

namespace zctrace::fuse {

// What a task is doing according to /proc/TID/syscall while its read request waits.
enum class TaskState {
  faulting,  // "-1 …": asleep outside any call, so in a page fault
  reading,   // "0 0x3 …": asleep in a call that reads files
  mapping,   // asleep in a call about mappings: mmap with MAP_POPULATE, madvise, mlock
  // running, or asleep in another call: the request is readahead, or a fault on that call's buffer
  elsewhere,
};

TaskState state_in(std::string_view proc_syscall);

struct TaskInspection {
  TaskState state = TaskState::elsewhere;
  bool refused = false;  // permission denied: trying again is useless
};

// Inspects tasks whose read request is being served. Any thread may call.
class TaskInspector {
 public:
  // `proc`: a descriptor of /proc, which outlives this. `serving`: the number of threads that may
  // call inspect().
  TaskInspector(int proc, unsigned serving);

  // Takes a few microseconds. At most all but one of the serving threads inspect a task themselves;
  // the last one leaves it to the background reader. The reason: inspecting a task in execve blocks
  // until the task's dirty pages are written, and a serving thread has to be free to serve those
  // writes. (In execve a task waits for no read of its own, but it does wait for answers to other
  // requests: see BackgroundReader.)
  TaskInspection inspect(pid_t tid);

 private:
  bool may_look_here() noexcept;

  const int proc_;
  std::atomic<unsigned> may_look_;  // how many more threads may inspect now
  BackgroundReader background_;
};

}  // namespace zctrace::fuse
