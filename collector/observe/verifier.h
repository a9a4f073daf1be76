// SPDX-License-Identifier: MIT
// Compares, process by process, what was counted with what the kernel counted meanwhile.
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
#include "collector/observe/kernel_accounting.h"
#include "collector/observe/snapshot.h"

namespace zctrace {

// Sees every snapshot of a session, in order. Pure: no I/O; one thread at a time. What has ended is
// compared at once and kept as sums.
//
// A task that runs while it is read may be between the kernel's count of a call and ours, and in
// a snapshot one is read after the other. So three readings make a mark: what was counted at the
// middle one lies between what the kernel had counted at the first and at the last. Where nothing
// happened between them, as for all that wait, the mark is exact. A process that was observed
// from its beginning needs no mark at its start, one that has ended none at its end.
class Verifier {
 public:
  // `io_not_verified`: why the counters of /proc/PID/io cannot be compared, if so. `own_pid`: the
  // observer, whose threads are in no comparison; 0: none of them is observed.
  Verifier(const SyscallTable& table, std::optional<std::string> io_not_verified,
           std::int64_t own_pid = 0);

  void add(const Snapshot& snapshot);
  // Readings that a mark takes: so many snapshots before a mark.
  static constexpr std::size_t kReadings = 4;
  // Who is new from here on was attached to, until begin(), or `expected` is false: nothing of
  // it before begin() is compared.
  void expect_begin(bool expected) { beginning_ = expected; }
  // Sets the start of who was attached to since the last time at the latest mark.
  void begin();
  // Whether the latest snapshots are a mark for everybody who runs.
  bool settled() const;

  // What the kernel counted of process `pid`, all its life, and of all that it waited for.
  void add_waited_children(std::int64_t pid, const CounterValues& kernel);

  Verification result() const;

 private:
  // One process in one snapshot.
  struct Reading {
    CounterValues kernel{};
    CounterValues besides{};  // the kernel's, too, when not observed
    ExpectedCounters counted;
    std::uint32_t started = 0, folded = 0, dead = 0;  // tasks
    bool kernel_known = false;
  };
  struct Mark {
    Reading before, at, after;
  };
  struct Account {
    std::int64_t pid = 0;
    bool forked = false;  // by somebody who was observed: from its beginning
    bool begun = false;   // begin() has seen it
    bool dumped_core = false;
    std::deque<Reading> latest;  // kReadings at most
    std::optional<Mark> start;
    std::optional<Reading> final;
  };

  std::map<std::uint64_t, Reading> readings_of(const Snapshot& snapshot) const;
  static std::optional<Mark> latest_mark(const Account& account);
  // nullptr: it can be compared, between the two marks.
  static const char* why_not_compared(const Account& account);
  void add_to(Verification& result, const Account& account) const;
  void compare(const Account& account, Verification& result) const;
  void compare_waited_children(Verification& result) const;
  void settle_ended();

  std::vector<Accounting> accounting_;  // by row number
  std::optional<std::string> io_not_verified_;
  std::optional<Verification::Reaped> waited_children_;
  std::int64_t own_pid_;
  bool beginning_ = false;
  std::map<std::uint64_t, Account> accounts_;  // that run, or ended before their begin()
  Verification ended_;                         // of the others
  std::set<std::uint64_t> still_read_;         // of these, those in the latest snapshot
  CounterValues ended_kernel_{};               // observed or not
  bool ended_unknown_ = false;                 // of one of them there are no counts of the kernel
};

}  // namespace zctrace
