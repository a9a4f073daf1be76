// One observation: probes attached, somebody observed, counts read as often as wanted.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/ledger.h"
#include "collector/report.h"
#include "collector/skeleton.h"
#include "collector/syscall_table.h"
#include "collector/verifier.h"

namespace zctrace {

struct SessionOptions {
  ProbeOptions probes;
  std::string syscalls = "%io";
};

// Owns the probes and the counts. Everything is unloaded when it is destroyed, or when the
// process dies of whatever cause. One thread at a time.
class Session {
 public:
  // Throws Error: usage for a bad selection, cannot-run when the kernel refuses.
  explicit Session(const SessionOptions& options);

  // Observes process `pid` (in the caller's pid namespace) from its next exec on.
  void arm(pid_t pid);
  // Observes process `pid`, single-threaded so far, from now on.
  void observe(pid_t pid);

  // Observes the processes `pids` and every other task that is wanted, with their threads and
  // descendants, until no more of them appear. Returns how many tasks were new.
  std::uint64_t attach(const std::vector<pid_t>& pids);

  // Reads the counts. Call it about once a second: it also frees the kernel's memory of
  // processes that have ended, and widens counters before they wrap.
  void poll();
  // Polls until process `pid` is gone from the kernel's books, which is a moment after its
  // parent could wait for it; gives up after `patience`.
  void poll_until_gone(pid_t pid, std::chrono::milliseconds patience);

  volatile std::uint32_t* window() { return skeleton_.window(); }

  std::vector<Process> processes() const;
  // The same without the peaks of RSS of those that run; those that ended are forgotten, and in
  // no later list. For one who watches for days, and adds up.
  std::vector<Process> take_processes();
  // The latest observed process with that pid. Throws Error when there was none.
  Process process(pid_t pid) const;
  // Reads until nobody changes meanwhile, a few times at most, and compares all counts with the
  // kernel's own. Only with ProbeOptions::verify.
  Verification verify();
  // To be compared with, too; see Verifier.
  void add_reaped(pid_t pid, const CounterValues& kernel) { verifier_->add_reaped(pid, kernel); }
  std::size_t running() const { return ledger_.running(); }
  bool has_observed_any() const { return !ledger_.empty(); }
  bool observed(pid_t pid) const { return ledger_.account_of(pid) != 0; }
  Completeness completeness() const;
  bool latency() const { return options_.probes.latency; }

 private:
  void begin(std::uint32_t walk, pid_t pid);
  void walk_until_settled();
  void read_marks();
  void read_commands();
  void forget(std::uint64_t account);

  SessionOptions options_;
  SyscallTable table_;
  Skeleton skeleton_;
  Ledger ledger_;
  std::optional<Verifier> verifier_;
  std::map<std::uint64_t, std::uint32_t> commands_read_;  // account -> execs when read
};

}  // namespace zctrace
