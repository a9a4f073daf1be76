// SPDX-License-Identifier: MIT
// Sums snapshots into processes. Their counts only grow while zctrace runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collector/model/report.h"
#include "collector/observe/channels/channel_ledger.h"
#include "collector/observe/channels/mapped_ledger.h"
#include "collector/observe/channels/relay_ledger.h"
#include "collector/observe/pipe_ledger.h"
#include "collector/observe/profile/profile_ledger.h"
#include "collector/observe/snapshot.h"
#include "collector/observe/syscall_table.h"

namespace zctrace {

// Owns what is known of every account seen and not forgotten. Pure: no I/O; one thread at a time.
// Invariant: no count of an account ever decreases, even where a snapshot misses a task
// that exited while it was taken.
class Ledger {
 public:
  // `own_pid`: the process of the observer, some of whose threads may be observed. They are in
  // own_threads() and in nothing else. 0: none.
  // `charged`: whether the rows hold what the kernel charged to their calls.
  explicit Ledger(const SyscallTable& table, std::int64_t own_pid = 0, bool charged = true)
      : meanings_(table.rows()), own_pid_(own_pid), charged_(charged) {}

  void add(const Snapshot& snapshot);
  void set_command(std::uint64_t account, std::vector<std::string> argv);

  // Accounts whose tasks had all ended in the latest snapshot. Returns each account once.
  std::vector<std::uint64_t> take_finished();
  // Whether the account was in a snapshot and all its tasks have ended.
  bool finished(std::uint64_t account) const;
  // An index of shares[] in the kernel; ZC_SHARES: the account is not known.
  std::uint32_t share_of(std::uint64_t account) const;
  // Whether a task has exited but not left its CPU yet, so that its last counts are missing.
  bool any_leaving() const;
  // Accounts that are not finished, and tasks of accounts that were made while the latest snapshot
  // was taken, because a task that ended then may have left a child.
  std::size_t running() const;
  bool empty() const { return accounts_.empty() && !forgotten_; }  // no account ever
  // Drops the finished accounts, so that only running ones take memory. The counts of others do not
  // change. Call it after take_finished().
  void forget_finished();
  // If more than `most` accounts are finished, adds those that moved the least to others() and
  // drops them as forget_finished() does. The very first account stays. Call it after
  // take_finished().
  void fold_finished(std::size_t most);
  const Totals& others() const { return others_; }
  PipeLedger& pipes() { return pipes_; }
  ProfileLedger& profile() { return profile_; }
  const ChannelLedger& channels() const { return channels_; }
  void limit_flows(std::size_t most) { channels_.limit(most); }
  MappedLedger& mapped() { return mapped_; }
  // The kernel side has given these up; see Skeleton::exchange_runs().
  void settle(const std::vector<std::pair<zc_run_key, zc_row_sums>>& runs);
  std::uint64_t tasks_in_call() const { return tasks_in_call_; }
  // The latest with that PID, and that TID if it is not 0. 0: none.
  std::uint64_t account_of(std::int64_t pid, std::int64_t tid = 0) const;

  struct Running {
    std::uint64_t account;
    std::uint64_t parent_account;  // 0: none
    std::int64_t pid;
    std::uint32_t execs;  // so far; if this grows, the command line has changed
  };
  // Accounts that are not finished, and those of take_finished().
  std::vector<Running> running_accounts() const;

  // Sorted by start time. A process without an exec of its own has its parent's argv.
  std::vector<Process> processes() const;
  // The same processes without figures and argv, for less.
  std::vector<Process> identities() const;
  Process process(std::uint64_t account) const;  // of a known account
  std::vector<Process> own_threads() const;      // never forgotten
  std::uint64_t compat_calls() const;

 private:
  struct RowSum {
    zc_row sum{};  // the highest ever seen of each counter; latency as last seen
    Histogram latency;
  };
  struct Account {
    zc_account record{};
    zc_usage usage{};
    zc_outside outside{};
    std::uint64_t compat_calls = 0;
    std::vector<std::string> argv;
    std::map<std::uint32_t, RowSum> rows;
    // By row and errno or enum zc_tally.
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> tallies;
    unsigned snapshots_of_ghosts = 0;
    bool finished = false;
    bool taken = false;  // by take_finished()
  };

  bool is_own(const Account& account) const {
    return own_pid_ != 0 && account.record.pid == own_pid_;
  }
  std::function<bool(std::uint64_t account)> known() const {
    return [this](std::uint64_t account) { return accounts_.contains(account); };
  }
  const std::vector<std::string>& argv_of(const Account& account) const;
  static PipeLedger::ProcessInstance process_of(const Account& account) {
    return {account.record.global_pid, account.record.process_start_ns};
  }
  Row to_row(const Account& account, std::uint32_t word, const RowSum& total) const;
  std::vector<Flow> flows_of(const Account& account) const;
  void set_copies(const Account& account, std::uint32_t word, Row& row, std::uint64_t seen) const;
  Charges charges_of(zc_key key, const Row& row) const;
  static Process identity_of(const Account& account);
  Process to_process(const Account& account) const;
  std::vector<Process> listed(const std::function<Process(const Account&)>& made) const;
  std::pair<std::uint64_t, std::uint64_t> moved(const Account& account) const;
  void add_pipes(const Snapshot& snapshot);
  void keep_commands();
  void forget(std::map<std::uint64_t, Account>::iterator account);

  std::vector<RowMeaning> meanings_;
  std::int64_t own_pid_;
  bool charged_;
  std::map<std::uint64_t, Account> accounts_;
  PipeLedger pipes_;
  ProfileLedger profile_;
  ChannelLedger channels_;
  MappedLedger mapped_;
  RelayLedger relays_;
  std::vector<std::uint64_t> newly_finished_;
  std::uint64_t tasks_in_call_ = 0;
  std::size_t tasks_of_later_accounts_ = 0;
  Totals others_;
  std::uint64_t forgotten_compat_calls_ = 0;
  bool forgotten_ = false;
};

}  // namespace zctrace
