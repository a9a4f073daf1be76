// SPDX-License-Identifier: MIT
// Which of the bytes that a process put into pipes are delivered, and which are still in transit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "bpf/abi.h"

namespace zctrace {

// Adds up what each account did with each pipe. Bytes that a process puts into a pipe are
// delivered to the pipe's reader, except those that the process takes out again itself. Threads
// of one process count as one, also where each has an account of its own. Pure; one thread at a
// time.
class PipeLedger {
 public:
  // The leader's PID, outside of any namespace, and when it started.
  using ProcessInstance = std::pair<std::uint32_t, std::uint64_t>;

  struct FromPipes {
    std::uint64_t bytes = 0;
    std::uint64_t in_kernel = 0;          // the part that never was in user space
    std::uint64_t spliced_from_user = 0;  // written into its own pipe, then spliced out of it
  };

  // Sets what an account did with a pipe so far. A lower value than before changes nothing. `pipe`
  // 0 stands for all pipes that the kernel side could not keep separately. `open`: a task has bytes
  // of it that are not in the kernel's map yet.
  void raise(ProcessInstance process, std::uint64_t account, std::uint64_t pipe,
             const zc_pipe_bytes& bytes, bool open);
  // Derives what is delivered from what was raised. A process for which `ended` is true has nothing
  // in transit: its pipes are dropped, and what its accounts delivered stays.
  void update(const std::function<bool(ProcessInstance)>& ended);

  // Whether no process has a pipe, so that there is nothing to derive.
  bool empty() const { return processes_.empty(); }

  FromPipes delivered(std::uint64_t account) const;
  // The caller will not ask for this account again. Its bytes still count for its process.
  void forget(std::uint64_t account);

  // Pipes that no task of the process used in the last `snapshots` calls of update().
  struct IdlePipe {
    ProcessInstance process;
    std::uint64_t pipe;
    std::vector<std::uint64_t> accounts;
  };
  std::vector<IdlePipe> idle(unsigned snapshots) const;
  // Drops a pipe after the kernel side has dropped it. What is left in it is delivered.
  void retire(const IdlePipe& pipe);

 private:
  struct Uses {
    std::map<std::uint64_t, zc_pipe_bytes> accounts;
    unsigned unchanged = 0;
    bool open = false;
  };
  using UsesByPipe = std::map<std::uint64_t, Uses>;

  static void derive(const Uses& uses, bool ended, std::map<std::uint64_t, FromPipes>& into);
  void keep(const Uses& uses);

  std::map<ProcessInstance, UsesByPipe> processes_;
  std::map<std::uint64_t, FromPipes> current_;  // by account; of the pipes in processes_
  std::map<std::uint64_t, FromPipes> kept_;     // by account; of those that were dropped
  std::map<std::uint64_t, bool> forgotten_;     // accounts, while their process is there
};

}  // namespace zctrace
