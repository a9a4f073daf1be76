// Compares, process by process, what was counted with what the kernel counted meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/kernel_accounting.h"
#include "collector/snapshot.h"
#include "collector/verification.h"

namespace zctrace {

// Sees every snapshot of a session, in order. Pure: no I/O; one thread at a time.
//
// A task that runs while it is read may be between the kernel's count of a call and ours, and in
// a snapshot one is read after the other. So three readings make a mark: what was counted at the
// middle one lies between what the kernel had counted at the first and at the last. Where nothing
// happened between them, as for all that wait, the mark is exact. A process that was observed
// from its beginning needs no mark at its start, one that has ended none at its end.
class Verifier {
 public:
  // `io_not_verified`: why the counters of /proc/PID/io cannot be compared, if so.
  Verifier(const SyscallTable& table, std::optional<std::string> io_not_verified);

  void add(const Snapshot& snapshot);
  // Readings that a mark takes: so many snapshots before a mark.
  static constexpr std::size_t kReadings = 4;
  // Sets the start of who was attached to since the last time at the latest mark.
  void begin();
  // Whether the latest snapshots are a mark for everybody who runs.
  bool settled() const;

  // What the kernel counted of process `pid`, all its life, and of all that it waited for.
  void add_reaped(std::int64_t pid, const CounterValues& kernel);

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
  void compare(const Account& account, Verification& result) const;
  void compare_reaped(Verification& result) const;

  std::vector<Accounting> accounting_;  // by row number
  std::optional<std::string> io_not_verified_;
  std::optional<Verification::Reaped> reaped_;
  std::map<std::uint64_t, Account> accounts_;
};

}  // namespace zctrace
