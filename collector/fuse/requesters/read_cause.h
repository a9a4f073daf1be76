// SPDX-License-Identifier: MIT
// Why a read request was sent. The kernel does not say, but the state of the task that sent it
// does.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

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
// The same of a task that is in the call with this number; -1: in none.
TaskState state_of(long call);

struct TaskInspection {
  TaskState state = TaskState::elsewhere;
  bool refused = false;  // permission denied: trying again is useless
};

// Inspects tasks whose read request is being served. Any thread may call.
//
// Inspecting a task in execve blocks until the task has written its dirty pages, and until each
// file that it closes is flushed: by this daemon, or by another one that may never answer. A task
// can be in execve with a read request open, for what it read ahead. So a serving thread leaves
// the tasks of other users to a background reader of its own: a task that holds one up costs the
// other serving threads nothing.
class TaskInspector {
 public:
  // `proc`: a descriptor of /proc, which outlives this. `serving`: the number of threads that may
  // call inspect(). `of_a_queue`: how many of them can serve any one request. `for_everyone`: they
  // serve other users, too.
  TaskInspector(int proc, unsigned serving, unsigned of_a_queue, bool for_everyone);

  // `trusted`: the task belongs to the daemon's user. Then it takes a few microseconds: the thread
  // inspects the task itself, unless it is the last one that is free. That one has to serve the
  // writes of a task in execve, and leaves the task to its reader. A reader takes some ten
  // microseconds, and 50 ms at most.
  TaskInspection inspect(pid_t tid, bool trusted);

 private:
  bool may_look_here() noexcept;
  BackgroundReader& reader_of_this_thread();

  const int proc_;
  std::atomic<unsigned> may_look_;  // how many more threads may inspect now
  std::vector<std::unique_ptr<BackgroundReader>> readers_;
};

}  // namespace zctrace::fuse
