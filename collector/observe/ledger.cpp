// SPDX-License-Identifier: MIT
// Adds the folded counts and those of running tasks.
#include "collector/observe/ledger.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "collector/model/relay_sums.h"
#include "collector/observe/kernel_records.h"

namespace zctrace {
namespace {

// A process has ended if this many snapshots in a row find no task of it, although its counters say
// that one is left. A thread that is just being created is in the next snapshot.
constexpr unsigned kGhostSnapshots = 5;

struct Sums {
  zc_usage usage{};
  zc_outside outside{};
  std::uint64_t compat_calls = 0;
  std::map<std::uint32_t, zc_row> rows;
  const char* name = nullptr;
  bool has_account = false;  // in the snapshot
  bool has_tasks = false;
};

}  // namespace

void Ledger::add(const Snapshot& snapshot) {
  std::unordered_map<std::uint64_t, Sums> now;
  tasks_in_call_ = 0;
  tasks_of_later_accounts_ = 0;
  for (const zc_account& account : snapshot.accounts) {
    Sums& sums = now[account.id];
    sums.has_account = true;
    sums.usage = account.usage;
    sums.outside = account.outside;
    sums.compat_calls = account.compat_calls;
  }
  for (const auto& [key, row] : snapshot.folded_rows)
    add_row(now[key.account].rows[key.key.word], row);
  for (const TaskRecord& task : snapshot.tasks) {
    Sums& sums = now[task.head.account];
    sums.has_tasks = true;
    tasks_of_later_accounts_ += !sums.has_account;
    add_usage(sums.usage, task.head.usage);
    add_records(sums.outside, task.head.outside, kOutsideFields);
    sums.compat_calls += task.head.compat_calls;
    sums.name = task.head.name;
    if (own_pid_ == 0 || task.head.pid != own_pid_) tasks_in_call_ += task.head.in_call;
    for (const auto& [key, row] : task.rows) add_row(sums.rows[key.word], row);
  }
  for (const zc_account& record : snapshot.accounts) {
    // It is being created, or about to be removed because there was no memory for its task.
    if (record.started == 0) continue;
    Account& account = accounts_[record.id];
    Sums& sums = now[record.id];
    account.record = record;
    if (sums.name != nullptr)
      std::copy_n(sums.name, sizeof(account.record.name), account.record.name);
    raise_usage(account.usage, sums.usage);
    raise_records(account.outside, sums.outside, kOutsideFields);
    account.compat_calls = std::max(account.compat_calls, sums.compat_calls);
    for (auto& [word, folded] : sums.rows) {
      if (ZC_KEY_ROW(zc_key{word}) != SyscallTable::kFoldedRow) continue;
      for (const auto& [other, total] : account.rows)
        if (other != word) subtract_known(folded, total.sum, sums.rows[other]);
    }
    for (const auto& [word, row] : sums.rows) {
      RowSum& total = account.rows[word];
      raise_records(total.sum, row, kRowFields);
      total.sum.max_ns = std::max(total.sum.max_ns, row.max_ns);
      lower_min(total.sum, row);
      for (const auto counter : kUnlistedCounters)
        total.sum.*counter = std::max(total.sum.*counter, row.*counter);
      for (unsigned i = 0; i < ZC_BUCKETS; i++) {
        // Modulo 2^32; a task missing from this snapshot shows as a negative difference.
        const auto grown = static_cast<std::int32_t>(row.latency[i] - total.sum.latency[i]);
        if (grown <= 0) continue;
        total.latency.add(i, static_cast<std::uint64_t>(grown));
        total.sum.latency[i] = row.latency[i];
      }
    }
    // If a thread was attached to in the middle of its exit, no program may see it end.
    const bool only_ghosts = record.dead != 0 && record.folded == record.dead &&
                             record.dead < record.started && !sums.has_tasks;
    account.snapshots_of_ghosts = only_ghosts ? account.snapshots_of_ghosts + 1 : 0;
    const bool gone = account.snapshots_of_ghosts >= kGhostSnapshots;
    if ((record.started == record.dead || gone) && !account.finished) {
      account.finished = true;
      newly_finished_.push_back(record.id);
    }
  }
  for (const auto& [key, count] : snapshot.tallies) {
    const auto found = accounts_.find(key.account);
    if (found == accounts_.end()) continue;
    std::uint64_t& highest = found->second.tallies[{key.key.word, key.what}];
    highest = std::max(highest, count);
  }
  add_pipes(snapshot);
  channels_.add(snapshot, known());
  mapped_.add(snapshot, known());
  relays_.add(snapshot);
}

void Ledger::settle(const std::vector<std::pair<zc_run_key, zc_row_sums>>& runs) {
  for (const auto& [key, sums] : runs)
    if (accounts_.contains(key.account)) channels_.settle(key, sums);
}

void Ledger::add_pipes(const Snapshot& snapshot) {
  struct Use {
    zc_pipe_bytes bytes{};
    bool open = false;
  };
  std::map<std::pair<std::uint64_t, std::uint64_t>, Use> uses;  // by account and pipe
  const auto add = [&](std::uint64_t account, std::uint64_t pipe) -> Use& {
    return uses[{account, pipe}];
  };
  for (const auto& [key, bytes] : snapshot.pipes) add(key.account, key.pipe).bytes = bytes;
  for (const zc_account& account : snapshot.accounts) {
    const zc_pipe_bytes& other = account.other_pipes;
    if ((other.taken_copied | other.taken_moved | other.put_copied | other.put_moved) != 0)
      add(account.id, 0).bytes = other;
  }
  const auto add_run = [&](std::uint64_t account, const zc_pipe_run& run,
                           __u64 zc_pipe_bytes::*copied, __u64 zc_pipe_bytes::*moved) {
    if (run.pipe == 0) return;
    Use& use = add(account, run.pipe);
    use.bytes.*copied += run.copied;
    use.bytes.*moved += run.moved;
    use.open = true;
  };
  for (const TaskRecord& task : snapshot.tasks) {
    add_run(task.head.account, task.head.taken, &zc_pipe_bytes::taken_copied,
            &zc_pipe_bytes::taken_moved);
    add_run(task.head.account, task.head.put, &zc_pipe_bytes::put_copied,
            &zc_pipe_bytes::put_moved);
  }
  for (const auto& [key, use] : uses) {
    const auto found = accounts_.find(key.first);
    if (found == accounts_.end() || found->second.taken) continue;
    pipes_.raise(process_of(found->second), key.first, key.second, use.bytes, use.open);
  }
  // In most snapshots no observed process uses a pipe.
  if (pipes_.empty()) return;
  std::set<PipeLedger::ProcessInstance> running;
  for (const auto& [id, account] : accounts_)
    if (!account.finished) running.insert(process_of(account));
  pipes_.update([&](PipeLedger::ProcessInstance process) { return !running.contains(process); });
}

void Ledger::set_command(std::uint64_t account, std::vector<std::string> argv) {
  if (const auto found = accounts_.find(account); found != accounts_.end())
    found->second.argv = std::move(argv);
}

std::vector<std::uint64_t> Ledger::take_finished() {
  for (const std::uint64_t id : newly_finished_) accounts_.at(id).taken = true;
  return std::exchange(newly_finished_, {});
}

bool Ledger::finished(std::uint64_t account) const {
  const auto found = accounts_.find(account);
  return found != accounts_.end() && found->second.finished;
}

std::uint32_t Ledger::share_of(std::uint64_t account) const {
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? ZC_SHARES : found->second.record.share;
}

bool Ledger::any_leaving() const {
  return std::any_of(accounts_.begin(), accounts_.end(), [](const auto& entry) {
    const Account& account = entry.second;
    return !account.finished && account.record.folded != account.record.dead;
  });
}

// A process without a command line of its own shows its parent's. Call this before a parent is
// forgotten.
void Ledger::keep_commands() {
  for (auto& [id, account] : accounts_)
    if (account.argv.empty()) account.argv = argv_of(account);
}

void Ledger::forget(std::map<std::uint64_t, Account>::iterator account) {
  forgotten_compat_calls_ += account->second.compat_calls;
  pipes_.forget(account->first);
  profile_.forget(account->first);
  channels_.forget(account->first);
  mapped_.forget(account->first);
  relays_.forget(account->first);
  forgotten_ = true;
  accounts_.erase(account);
}

void Ledger::forget_finished() {
  keep_commands();
  for (auto account = accounts_.begin(); account != accounts_.end();) {
    const auto next = std::next(account);
    if (account->second.finished && !is_own(account->second)) forget(account);
    account = next;
  }
}

void Ledger::fold_finished(std::size_t most) {
  struct Finished {
    std::pair<std::uint64_t, std::uint64_t> moved;
    std::map<std::uint64_t, Account>::iterator account;
    std::uint32_t pid() const { return account->second.record.pid; }
  };
  std::vector<Finished> finished;
  if (accounts_.size() <= most) return;
  const auto first = std::find_if(accounts_.begin(), accounts_.end(),
                                  [this](const auto& entry) { return !is_own(entry.second); });
  for (auto account = first; account != accounts_.end(); ++account)
    if (account != first && account->second.finished && !is_own(account->second))
      finished.push_back({moved(account->second), account});
  if (finished.size() <= most) return;
  // A quarter more than necessary, so that not every snapshot has to do this.
  const auto folded = finished.begin() + static_cast<std::ptrdiff_t>(most - most / 4);
  std::nth_element(finished.begin(), folded, finished.end(),
                   [](const Finished& a, const Finished& b) { return a.moved > b.moved; });
  std::sort(folded, finished.end(),
            [](const Finished& a, const Finished& b) { return a.pid() < b.pid(); });
  keep_commands();
  std::vector<Process> threads;  // of one process
  for (auto next = folded; next != finished.end(); ++next) {
    if (!threads.empty() && threads.front().pid != next->pid()) {
      others_.add(threads);
      threads.clear();
    }
    threads.push_back(to_process(next->account->second));
    merge_flows(others_.sum.flows, threads.back().flows);
    merge_mapped_files(others_.sum.mapped_files, threads.back().mapped_files);
    add_relays(others_.sum.relays, threads.back().relays);
    forget(next->account);
  }
  others_.add(threads);
}

// Bytes, then calls: the order in which a table lists processes.
std::pair<std::uint64_t, std::uint64_t> Ledger::moved(const Account& account) const {
  std::pair<std::uint64_t, std::uint64_t> sum;
  for (const auto& [word, row] : account.rows) {
    const RowMeaning& meaning = meanings_.at(ZC_KEY_ROW(zc_key{word}));
    if (meaning.copy == Copy::copied || meaning.copy == Copy::in_kernel) sum.first += row.sum.bytes;
    if (!meaning.asynchronous) sum.second += row.sum.calls;
  }
  return sum;
}

std::size_t Ledger::running() const {
  return tasks_of_later_accounts_ + static_cast<std::size_t>(std::count_if(
                                        accounts_.begin(), accounts_.end(), [this](auto& entry) {
                                          return !entry.second.finished && !is_own(entry.second);
                                        }));
}

std::uint64_t Ledger::account_of(std::int64_t pid, std::int64_t tid) const {
  std::uint64_t latest = 0;
  for (const auto& [id, account] : accounts_)
    if (account.record.pid == pid && (tid == 0 || account.record.tid == tid)) latest = id;
  return latest;
}

std::vector<Ledger::Running> Ledger::running_accounts() const {
  std::vector<Running> running;
  for (const auto& [id, account] : accounts_) {
    if (!account.taken)
      running.push_back({id, account.record.parent, account.record.pid, account.record.execs});
  }
  return running;
}

const std::vector<std::string>& Ledger::argv_of(const Account& account) const {
  const Account* owner = &account;
  // A parent has a lower number, so this ends.
  while (owner->argv.empty() && owner->record.parent != 0) {
    const auto parent = accounts_.find(owner->record.parent);
    if (parent == accounts_.end()) break;
    owner = &parent->second;
  }
  return owner->argv;
}

std::uint64_t Ledger::compat_calls() const {
  std::uint64_t calls = forgotten_compat_calls_;
  for (const auto& entry : accounts_) calls += entry.second.compat_calls;
  return calls;
}

}  // namespace zctrace
