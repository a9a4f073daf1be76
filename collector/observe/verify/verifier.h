// SPDX-License-Identifier: MIT
// Compares the counts of each process with what the kernel itself counted meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/model/verification.h"
#include "collector/observe/snapshot.h"
#include "collector/observe/verify/kernel_accounting.h"

namespace zctrace {

// Gets every snapshot of a session, in order. Pure: no I/O. One thread at a time. An account that
// has ended is compared at once and kept only as a sum.
//
// A task that runs while it is read may be between the kernel's count of a call and ours, and a
// snapshot reads one after the other. So three readings make a mark: our count in the middle one
// lies between the kernel's counts in the first and in the last. The mark is exact if nothing
// happened between the readings, as is the case for a task that waits. A process that was observed
// from its beginning needs no mark at its start, and one that has ended needs none at its end.
class Verifier {
 public:
  // `io_not_verified`: why the counters of /proc/PID/io cannot be compared, if they cannot.
  // `own_pid`: the observer, whose threads are not compared; 0: none of them is observed.
  Verifier(const SyscallTable& table, std::optional<std::string> io_not_verified,
           std::int64_t own_pid = 0);

  void add(const Snapshot& snapshot);
  // A mark takes this many readings, one in each snapshot.
  static constexpr std::size_t kReadings = 4;
  // While `expected` is true, until begin(), a new process is one that was attached to: what it
  // does before begin() is not compared.
  void expect_begin(bool expected) { beginning_ = expected; }
  // Lets the comparison of newly attached processes begin at the latest mark.
  void begin();
  // Whether the latest snapshots are a mark for every process that begin() would compare from now
  // on. Its descendants may come and go.
  bool may_begin() const;
  // The same for every running process.
  bool settled() const;

  // What the kernel counted for process `pid` in all its life, and for the children it waited for.
  void add_waited_children(std::int64_t pid, const CounterValues& kernel);

  Verification result() const;

 private:
  // One process in one snapshot.
  struct AccountReading {
    CounterValues kernel{};
    CounterValues besides{};  // the kernel's counts of times when it was not observed
    ExpectedCounters counted;
    std::uint32_t started = 0, folded = 0, dead = 0;  // tasks
    bool kernel_known = false;
  };
  struct Mark {
    AccountReading before, at, after;
  };
  struct CheckedAccount {
    std::int64_t pid = 0;
    bool forked = false;  // by an observed process, so it was observed from its beginning
    bool begun = false;   // begin() has seen it
    bool dumped_core = false;
    std::deque<AccountReading> latest;  // kReadings at most
    std::optional<Mark> start;
    std::optional<AccountReading> final;
  };

  std::map<std::uint64_t, AccountReading> readings_of(const Snapshot& snapshot) const;
  static std::optional<Mark> latest_mark(const CheckedAccount& account);
  // nullptr: it can be compared between its two marks.
  static const char* why_not_compared(const CheckedAccount& account);
  void add_to(Verification& result, const CheckedAccount& account) const;
  void compare(const CheckedAccount& account, Verification& result) const;
  void compare_waited_children(Verification& result) const;
  void settle_ended();

  std::vector<Accounting> accounting_;  // by row number
  std::optional<std::string> io_not_verified_;
  std::optional<Verification::WaitedCounters> waited_children_;
  std::int64_t own_pid_;
  bool beginning_ = false;
  std::map<std::uint64_t, CheckedAccount> accounts_;  // that run, or ended before their begin()
  Verification ended_;                                // of the others
  std::set<std::uint64_t> still_read_;  // ended accounts that are in the latest snapshot
  CounterValues ended_kernel_{};        // observed or not
  bool ended_unknown_ = false;          // the kernel's counts of one of them are missing
};

}  // namespace zctrace
