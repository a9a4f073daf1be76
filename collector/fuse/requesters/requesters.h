// SPDX-License-Identifier: MIT
// Identifies requesters: from the thread ID in a request to a process with a name and a command
// line.
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
#include "collector/os/proc_reader.h"

namespace zctrace::fuse {

// The fields of /proc/PID/stat that identify a process. The start is in clock ticks since boot.
struct ProcessStat {
  std::string name;
  std::int64_t parent_pid = 0;
  std::uint64_t start_ticks = 0;
};

// Accepts names that contain spaces and parentheses. False: not a line of /proc/PID/stat.
bool parse_stat(std::string_view text, ProcessStat& stat);

// Numbers processes by PID and start time, so that a reused PID is another process. It reads names
// and command lines at a process's first request and again now and then, because a shell's child
// opens its redirections before execve. The number of processes is bounded: beyond it, those that
// have been idle for the longest are no longer listed separately. Any thread may call.
class Requesters {
 public:
  // No process: the kernel itself, a process of a PID namespace that we cannot see, or a process
  // about which nothing could be read, for example because the thread ended first.
  static constexpr ProcessId kKernel = 0;
  static constexpr std::size_t kMaxProcesses = 1000;  // processes that are listed separately

  explicit Requesters(std::size_t most = kMaxProcesses);

  // Starts the children that read /proc. Call it before the mount serves: while a child starts, it
  // holds copies of all descriptors, also of files that a user closes meanwhile.
  void start();

  // The process of thread `tid`, which is waiting for an answer to its request. `may_wait`: this
  // may wait for the process's details to be read. Pass false when the process may be in execve.
  ProcessId process_of(pid_t tid, bool may_wait = true);
  pid_t pid_of(ProcessId process) const;
  // From now on remembers each process that sends a request, until has_ended() is called for it.
  void remember();
  // Whether the process that started at `start_ns` (CLOCK_BOOTTIME) is remembered.
  bool has_sent_request(std::int64_t pid, std::uint64_t start_ns) const;
  void has_ended(std::int64_t pid, std::uint64_t start_ns);
  // Whether we may read in /proc what the process is doing. Used and updated by cause_of().
  bool may_inspect(ProcessId process) const;
  void refuse_inspection(ProcessId process);

  // PID, parent, name, argv, start; no counts. Contains kKernel, too.
  std::unordered_map<ProcessId, Process> processes() const;

  // Sets a function that is called, on a thread of this class, with the processes that are still
  // listed separately.
  void on_listed_changed(std::function<void(const std::unordered_set<ProcessId>&)> callback);

 private:
  using Clock = std::chrono::steady_clock;
  struct RequesterThread {
    ProcessId process = kKernel;
    Clock::time_point checked;
    Clock::time_point last_request;
    std::uint32_t requests = 0;
  };
  struct Requester {
    Process process;
    std::uint64_t start_ticks = 0;  // 0: not read yet
    bool inspectable = true;
    bool details_wanted = false;
    bool has_command = false;
    std::string commands_name;  // its name when the command was read
    Clock::time_point last_request;
  };

  void identify(pid_t tid);
  ProcessId last_known(pid_t tid);
  ProcessId add(std::int64_t pid);
  ProcessId replace(ProcessId former, std::uint64_t start_ticks);
  void want_details(ProcessId process);
  void read_details(ProcessId process);
  void forget_the_idle();
  std::vector<std::string> command_of(std::int64_t pid);

  mutable std::mutex mutex_;
  std::unordered_map<pid_t, RequesterThread> threads_;
  const std::size_t most_;
  ProcessId next_ = kKernel + 1;
  std::unordered_map<ProcessId, Requester> requesters_;
  std::unordered_map<std::int64_t, ProcessId> by_pid_;  // the latest process of each PID
  // PID and time of the first request
  std::set<std::pair<std::int64_t, std::uint64_t>> remembered_;
  bool remember_ = false;
  std::function<void(const std::unordered_set<ProcessId>&)> listed_changed_;

  // Each is used by the background reader of its name.
  ProcReader identity_reader_;
  ProcReader details_reader_;
  BackgroundReader identity_;  // a thread of its own, because reading details can block
  BackgroundReader details_;   // both last: they use the members above
};

}  // namespace zctrace::fuse
