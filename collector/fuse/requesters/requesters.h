// SPDX-License-Identifier: MIT
// Who asks: from the thread id in a request to a process with a name and a command line.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "collector/fuse/counts/request_counts.h"
#include "collector/fuse/requesters/background_reader.h"
#include "collector/model/report.h"

namespace zctrace::fuse {

// The fields of /proc/PID/stat that name a process; start in clock ticks since boot.
struct ProcessStat {
  std::string name;
  std::int64_t parent_pid = 0;
  std::uint64_t start_ticks = 0;
};

// The name may itself hold spaces and parentheses. False: not such a line.
bool parse_stat(std::string_view text, ProcessStat& stat);

// Numbers processes by pid and start time, so that a reused pid is another process. Names and
// command lines are read when a process first asks and again now and then, because a shell's
// child opens its redirections before it becomes the command. Bounded: of too many those that have
// not asked for the longest are no longer told apart. Any thread.
class Requesters {
 public:
  // No process: the kernel on its own, one of a pid namespace that is not ours, or one that could
  // not be read about, as when the thread has ended before it was known.
  static constexpr ProcessId kKernel = 0;
  static constexpr std::size_t kMost = 1000;  // processes told apart

  // `proc`: a descriptor of /proc, which outlives this.
  explicit Requesters(int proc, std::size_t most = kMost);

  // The process of thread `tid`, which waits for its request to be answered. `may_wait`: its
  // details can be read meanwhile. Not so when it may be becoming another program.
  ProcessId process_of(pid_t tid, bool may_wait = true);
  pid_t pid_of(ProcessId process) const;
  // From now on remembers each process that asks, until it is said to have ended.
  void remember();
  // Whether a process that began at `start_ns` (CLOCK_BOOTTIME) is remembered to have asked.
  bool has_asked(std::int64_t pid, std::uint64_t start_ns) const;
  void has_ended(std::int64_t pid, std::uint64_t start_ns);
  // Whether /proc may be asked what the process does; asked for and kept by read_cause.
  bool may_inspect(ProcessId process) const;
  void refuse_inspection(ProcessId process);

  // pid, parent, name, argv, start; no counts. kKernel is there, too.
  std::unordered_map<ProcessId, Process> processes() const;

  // Called, on a thread of this class, with those who are still told apart.
  void on_told_apart(std::function<void(const std::unordered_set<ProcessId>&)> callback);

 private:
  using Clock = std::chrono::steady_clock;
  struct Thread {
    ProcessId process = kKernel;
    Clock::time_point checked;
    Clock::time_point asked;
    std::uint32_t requests = 0;
  };
  struct Known {
    Process process;
    std::uint64_t start_ticks = 0;  // 0: not yet read
    bool inspectable = true;
    bool details_wanted = false;
    bool has_command = false;
    std::string commands_name;  // the name that it had then
    Clock::time_point asked;
  };

  void identify(pid_t tid);
  ProcessId last_known(pid_t tid);
  ProcessId add(std::int64_t pid);
  ProcessId replace(ProcessId former, std::uint64_t start_ticks);
  void want_details(ProcessId process);
  void read_details(ProcessId process);
  void forget_the_idle();
  std::vector<std::string> command_of(std::int64_t pid) const;

  const int proc_;
  mutable std::mutex mutex_;
  std::unordered_map<pid_t, Thread> threads_;
  const std::size_t most_;
  ProcessId next_ = kKernel + 1;
  std::unordered_map<ProcessId, Known> known_;
  std::unordered_map<std::int64_t, ProcessId> by_pid_;           // the latest of each pid
  std::set<std::pair<std::int64_t, std::uint64_t>> remembered_;  // pid, and when it first asked
  bool remember_ = false;
  std::function<void(const std::unordered_set<ProcessId>&)> told_apart_;

  Aside identity_;  // apart, because the details can keep their reader waiting
  Aside details_;   // both last: they use what is above
};

}  // namespace zctrace::fuse
