// SPDX-License-Identifier: MIT
// A session: attaches the probes, observes tasks, and reads their counts whenever asked.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/model/report.h"
#include "collector/observe/channels/channel_names.h"
#include "collector/observe/channels/retransmit_ledger.h"
#include "collector/observe/command_lines.h"
#include "collector/observe/ledger.h"
#include "collector/observe/profile/sampler.h"
#include "collector/observe/skeleton.h"
#include "collector/observe/stacks/stack_reader.h"
#include "collector/observe/syscall_table.h"
#include "collector/observe/verify/verifier.h"
#include "collector/os/proc_reader.h"

namespace zctrace {

struct SessionOptions {
  ProbeOptions probes;
  std::string syscalls = "%io";
  // Whether to read the command lines of attached processes from /proc. Such a read can wait for a
  // lock that the process holds.
  bool commands = true;
  // How many ended processes are listed. Those that moved the least are summed in others().
  std::size_t max_ended = std::numeric_limits<std::size_t>::max();
  // How many flows are remembered, of all processes; those with the fewest bytes are forgotten
  // first.
  std::size_t max_flows = ChannelLedger::kMostFlows;
};

// Owns the probes and the counts. Everything is unloaded when it is destroyed, or when the
// process dies of whatever cause. One thread at a time.
class Session {
 public:
  // Throws Error: usage for a bad selection, cannot-run when the kernel refuses.
  explicit Session(const SessionOptions& options);

  // Observes process `pid` (in the caller's pid namespace) from its next exec on.
  void observe_from_exec(pid_t pid);
  // Observes process `pid`, single-threaded so far, from now on.
  void observe(pid_t pid);
  // Observes threads of zctrace itself from now on. The report does not list them as processes;
  // own_threads() returns them.
  void observe_own(const std::vector<pid_t>& tids);

  // Observes the processes `pids` and every other task that is wanted, with their threads and
  // descendants, until no more of them appear. Returns how many tasks were new.
  std::uint64_t attach(const std::vector<pid_t>& pids);

  // From now on the cgroup `id` is a target instead of NewTasks::cgroups[index].
  void replace_cgroup(std::size_t index, std::uint64_t id) { skeleton_.replace_cgroup(index, id); }

  // Reads the counts. Call it again after poll_interval(): it also frees the kernel's memory of
  // processes that have ended, and widens counters before they wrap.
  void poll();
  // A second; less at first, and while thousands of processes end.
  std::chrono::milliseconds poll_interval() const { return poll_interval_; }
  // Polls until process `pid`, and every other task that is exiting, has left its CPU for the last
  // time, which is a moment after its parent could wait for it. Gives up after `patience`.
  void poll_until_gone(pid_t pid, std::chrono::milliseconds patience);

  // Stops the counting and reads the last counts, although tasks go on running or end meanwhile.
  // Call verify() before.
  void stop();

  // As in Skeleton. poll() after close_slice(), and never in between.
  std::chrono::steady_clock::time_point open_slice() { return skeleton_.open_slice(); }
  std::chrono::steady_clock::time_point close_slice() { return skeleton_.close_slice(); }

  volatile std::uint32_t* window() { return skeleton_.window(); }

  std::vector<Process> processes();
  // The same processes without figures, for less.
  std::vector<Process> identities() const { return ledger_.identities(); }
  // Sets the peak RSS of those that run, where /proc tells it.
  void read_peak_memory(std::vector<Process>& processes);
  // Sets what the report says of the channels of its processes and others: names, where they are
  // known, and what was counted of them alone.
  void add_channels(Report& report) const;
  const Totals& others() const { return ledger_.others(); }
  // Drops the processes that have ended from later lists, once the caller has reported them.
  void forget_ended() { ledger_.forget_finished(); }
  // processes() without the peak RSS of processes that run, then forget_ended(). For a caller that
  // runs for days and sums the counts.
  std::vector<Process> take_processes();
  // The threads of observe_own() with their counts, also when they have ended.
  std::vector<Process> own_threads() const { return ledger_.own_threads(); }
  // The latest observed process with that pid. Throws Error when there was none.
  Process process(pid_t pid) const;
  // Compares all counts with the kernel's own. Reads them again, for at most two seconds, until no
  // task changes meanwhile and nothing differs. Only with ProbeOptions::verify.
  Verification verify();
  // Adds counters for the comparison; see Verifier.
  void add_waited_children(pid_t pid, const CounterValues& kernel) {
    verifier_->add_waited_children(pid, kernel);
  }
  // From where bytes were moved so far. Takes no more samples, and the first call may take some
  // seconds. nullptr without ProbeOptions::stack_bytes.
  const StackProfile* stacks() { return stacks_ ? &stacks_->finish() : nullptr; }
  // Figures that are not known, and why.
  std::map<std::string, std::string> unknown() const;
  // What observing took so far. Run times are 0 without ProbeOptions::run_times.
  CostReading cost() const;
  std::size_t running() const { return ledger_.running(); }
  bool has_observed_any() const { return !ledger_.empty(); }
  bool observed(pid_t pid) const { return ledger_.account_of(pid) != 0; }
  Completeness completeness() const;
  bool latency() const { return options_.probes.latency; }
  bool adaptive() const { return latency() && options_.probes.adaptive; }
  // As Skeleton::untimed_ns().
  std::uint64_t untimed_ns() const { return skeleton_.untimed_ns(); }
  const std::string& selection() const { return options_.syscalls; }  // -e

 private:
  void begin(std::uint32_t walk, pid_t pid);
  void walk_until_settled();
  void count_refused(std::uint32_t reason, std::uint64_t tasks);
  // Reads until `settled`, or until it has tried often.
  void read_marks(bool (Verifier::*settled)() const);
  void read_commands();
  template <typename Entries>
  void forget_entries(int map, const Entries& entries, __u32 zc_share::*counter);
  std::size_t forget_finished(const Snapshot& snapshot);
  void retire_pipes(const Snapshot& snapshot);
  void settle_runs();
  void retire_mapped();
  void forget_names();

  SessionOptions options_;
  SyscallTable table_;
  Skeleton skeleton_;
  Ledger ledger_;
  std::optional<Sampler> sampler_;
  std::optional<StackReader> stacks_;
  std::optional<ChannelNames> names_;
  RetransmitLedger retransmits_;
  std::optional<Verifier> verifier_;
  CommandLines command_lines_;
  ProcReader proc_;
  std::map<std::uint64_t, std::uint32_t> commands_read_;  // account -> execs when read
  std::chrono::steady_clock::time_point last_poll_;
  std::chrono::milliseconds poll_interval_;
  std::map<std::uint32_t, std::uint64_t> refused_;  // enum zc_loss -> tasks, by walks
};

}  // namespace zctrace
