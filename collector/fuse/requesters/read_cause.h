// SPDX-License-Identifier: MIT
// Why a read request came: the kernel does not say, but the task behind it can be looked at.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string_view>

#include "collector/fuse/requesters/background_reader.h"

namespace zctrace::fuse {

// What a task is doing, from /proc/TID/syscall while a read request of it waits.
enum class TaskState {
  faulting,   // "-1 …": asleep outside any call, so in a page fault
  reading,    // "0 0x3 …": asleep in a call that reads files
  mapping,    // asleep in a call about mappings: mmap with MAP_POPULATE, madvise, mlock
  elsewhere,  // running, or asleep in another call: the request is readahead, or a fault on that
              // call's buffer
};

TaskState state_in(std::string_view proc_syscall);

struct TaskLook {
  TaskState state = TaskState::elsewhere;
  bool refused = false;  // this task may not be looked at: asking again is useless
};

// Looks at tasks whose read request is being served. Any thread.
class TaskLooker {
 public:
  // `proc`: a descriptor of /proc, which outlives this. `serving`: the threads that look, at most.
  TaskLooker(int proc, unsigned serving);

  // Takes a few microseconds. One of the threads that serve never looks itself: a task that becomes
  // another program keeps who looks waiting until its dirty pages are written, which somebody has
  // to serve. (It waits for no read then; for the answers to other requests it does: see Aside.)
  TaskLook look_at(pid_t tid);

 private:
  bool may_look_here() noexcept;

  const int proc_;
  std::atomic<unsigned> may_look_;  // so many more at once
  Aside aside_;
};

}  // namespace zctrace::fuse
