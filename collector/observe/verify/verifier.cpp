// SPDX-License-Identifier: MIT
// Takes readings, finds marks, and compares two marks.
#include "collector/observe/verify/verifier.h"

#include <algorithm>

#include "collector/model/saturating.h"

namespace zctrace {
namespace {

constexpr const char* kBusy = "changed_while_read";
constexpr const char* kCore = "dumped_core";
constexpr const char* kNoRoom = "no_room";

constexpr int kCoreDumped = 0x80;  // in a status of wait(2)

void add_counts(CounterValues& sum, const zc_kernel_counts& counts) {
  const std::uint64_t values[] = {counts.syscr, counts.syscw,     counts.rchar,
                                  counts.wchar, counts.voluntary, counts.involuntary};
  for (std::size_t i = 0; i < kKernelCounters; i++) sum[i] += values[i];
}

// A switch outside any call, as a row without calls.
zc_row switches_of(const zc_outside& outside) {
  zc_row row{};
  row.voluntary = outside.voluntary;
  row.involuntary = outside.involuntary;
  return row;
}

std::uint64_t since(std::uint64_t later, std::uint64_t earlier) {
  return later == ExpectedCounters::kOpen ? later : later - earlier;
}

std::uint64_t above(std::uint64_t bound, std::uint64_t more) {
  return bound == ExpectedCounters::kOpen ? bound : bound + more;
}

}  // namespace

Verifier::Verifier(const SyscallTable& table, std::optional<std::string> io_not_verified,
                   std::int64_t own_pid)
    : io_not_verified_(std::move(io_not_verified)), own_pid_(own_pid) {
  ended_.io_not_verified = io_not_verified_;
  for (const char* reason : {kBusy, kCore, kNoRoom}) ended_.not_compared[reason] = 0;
  for (const RowMeaning& row : table.rows()) accounting_.push_back(accounting_of(row.name));
}

std::map<std::uint64_t, Verifier::AccountReading> Verifier::readings_of(
    const Snapshot& snapshot) const {
  std::map<std::uint64_t, AccountReading> readings;
  for (const zc_account& account : snapshot.accounts) {
    AccountReading& reading = readings[account.id];
    reading.started = account.started;
    reading.folded = account.folded;
    reading.dead = account.dead;
    reading.counted.add_row(Accounting::none, switches_of(account.outside));
    reading.counted.add_compat_calls(account.compat_calls);
  }
  for (const auto& [account, counts] : snapshot.folded_counts)
    if (const auto found = readings.find(account); found != readings.end()) {
      add_counts(found->second.kernel, counts.observed);
      add_counts(found->second.besides, counts.besides);
      found->second.kernel_known = true;
    }
  const auto add_row = [this](AccountReading& reading, std::uint32_t word, const zc_row& row) {
    reading.counted.add_row(accounting_.at(ZC_KEY_ROW(zc_key{word})), row);
  };
  for (const auto& [key, row] : snapshot.folded_rows)
    if (const auto found = readings.find(key.account); found != readings.end())
      add_row(found->second, key.key.word, row);
  for (const TaskRecord& task : snapshot.tasks) {
    const auto found = readings.find(task.head.account);
    if (found == readings.end()) continue;  // newer than the accounts that were read
    AccountReading& reading = found->second;
    add_counts(reading.kernel, task.head.counts);
    reading.counted.add_row(Accounting::none, switches_of(task.head.outside));
    reading.counted.add_compat_calls(task.head.compat_calls);
    for (const auto& [key, row] : task.rows) add_row(reading, key.word, row);
  }
  return readings;
}

void Verifier::add(const Snapshot& snapshot) {
  const auto readings = readings_of(snapshot);
  std::set<std::uint64_t> still_read;
  for (const zc_account& record : snapshot.accounts) {
    if (own_pid_ != 0 && record.pid == own_pid_) continue;
    // No task is in it. Two programs may begin to observe a task at the same moment; then one of
    // the accounts that they made is removed.
    if (record.started == 0) continue;
    if (still_read_.contains(record.id)) {
      still_read.insert(record.id);
      continue;
    }
    CheckedAccount& account = accounts_[record.id];
    if (account.final) continue;
    account.pid = record.pid;
    account.forked = record.parent != 0;
    account.latest.push_back(readings.at(record.id));
    if (account.latest.size() > kReadings) account.latest.pop_front();
    // The counts of each task are added before the task is counted as dead.
    if (record.started != record.dead) continue;
    account.final = account.latest.back();
    account.dumped_core = (record.exit_code & kCoreDumped) != 0;
    account.latest.clear();
    still_read.insert(record.id);
  }
  still_read_ = std::move(still_read);
  settle_ended();
}

// An account that has ended and whose start is known needs no further reading.
void Verifier::settle_ended() {
  for (auto entry = accounts_.begin(); entry != accounts_.end();) {
    const auto next = std::next(entry);
    const CheckedAccount& account = entry->second;
    if (account.final && (account.forked || account.begun || !beginning_)) {
      add_to(ended_, account);
      ended_unknown_ |= !account.final->kernel_known;
      for (std::size_t i = 0; i < kKernelCounters; i++)
        ended_kernel_[i] += account.final->kernel[i] + account.final->besides[i];
      // The last switch of each task is in no count, but may be in the kernel's.
      ended_kernel_[static_cast<std::size_t>(KernelCounter::voluntary)] += account.final->dead;
      accounts_.erase(entry);
    }
    entry = next;
  }
}

// The last reading only proves that no task began or ended during the others.
std::optional<Verifier::Mark> Verifier::latest_mark(const CheckedAccount& account) {
  if (account.latest.size() < kReadings) return std::nullopt;
  const AccountReading& first = account.latest.front();
  if (first.folded != first.dead) return std::nullopt;
  for (const AccountReading& reading : account.latest)
    if (reading.started != first.started || reading.folded != first.folded ||
        reading.dead != first.dead)
      return std::nullopt;
  return Mark{account.latest[0], account.latest[1], account.latest[2]};
}

void Verifier::begin() {
  for (auto& [id, account] : accounts_) {
    if (account.forked || account.begun) continue;
    account.begun = true;
    account.start = latest_mark(account);
  }
  beginning_ = false;
  settle_ended();
}

bool Verifier::settled() const {
  return std::all_of(accounts_.begin(), accounts_.end(), [](const auto& entry) {
    return entry.second.final || latest_mark(entry.second);
  });
}

bool Verifier::may_begin() const {
  return std::all_of(accounts_.begin(), accounts_.end(), [](const auto& entry) {
    const CheckedAccount& account = entry.second;
    return account.forked || account.begun || account.final || latest_mark(account);
  });
}

const char* Verifier::why_not_compared(const CheckedAccount& account) {
  if (account.dumped_core) return kCore;
  if (account.begun && !account.start) return kBusy;
  if (!account.final && !latest_mark(account)) return kBusy;
  const AccountReading& last = account.final ? *account.final : account.latest.back();
  return last.kernel_known ? nullptr : kNoRoom;
}

void Verifier::compare(const CheckedAccount& account, Verification& result) const {
  const Mark start = account.start.value_or(Mark());
  const Mark end = account.final ? Mark{*account.final, *account.final, *account.final}
                                 : latest_mark(account).value();
  for (std::size_t i = io_not_verified_ ? kIoCounters : 0; i < kKernelCounters; i++) {
    const std::uint64_t kernel = end.at.kernel[i] - start.at.kernel[i];
    const std::uint64_t least = end.at.counted.low[i] - start.at.counted.low[i];
    const std::uint64_t most = since(end.at.counted.high[i], start.at.counted.high[i]);
    const std::uint64_t low =
        not_below_zero(least, (end.after.kernel[i] - end.at.kernel[i]) +
                                  (start.at.kernel[i] - start.before.kernel[i]));
    std::uint64_t high = above(most, (end.at.kernel[i] - end.before.kernel[i]) +
                                         (start.after.kernel[i] - start.at.kernel[i]));
    // Only if nothing else explains it, or a copy that was lost would go unnoticed.
    if (kernel > high) high = above(high, end.at.counted.again[i] - start.at.counted.again[i]);
    const std::uint64_t counted = std::clamp(kernel, low, high);
    const std::uint64_t difference = kernel > counted ? kernel - counted : counted - kernel;
    CounterCheck& check = result.counters[i];
    check.kernel += kernel;
    check.counted += counted;
    check.difference += difference;
    if (high == ExpectedCounters::kOpen) {
      check.margin.reset();
    } else if (check.margin) {
      *check.margin += high - low;
    }
    if (difference != 0)
      result.differences.push_back(
          {account.pid, false, static_cast<KernelCounter>(i), kernel, counted});
  }
}

void Verifier::add_waited_children(std::int64_t pid, const CounterValues& kernel) {
  waited_children_ = Verification::WaitedCounters{pid, kernel, {}};
}

// Compares one side only: a process that nothing waited for, such as a daemon, is observed but not
// in the kernel's sum.
void Verifier::compare_waited_children(Verification& result) const {
  Verification::WaitedCounters waited_children = *waited_children_;
  if (ended_unknown_) return;
  waited_children.observed = ended_kernel_;
  // A parent may wait for a child that has yet to leave its CPU, with its counts.
  for (const auto& [id, account] : accounts_)
    if (account.final || account.latest.back().folded != account.latest.back().dead) return;
  for (std::size_t i = 0; i < kKernelCounters; i++)
    if (waited_children.kernel[i] > waited_children.observed[i])
      result.differences.push_back({waited_children.pid, true, static_cast<KernelCounter>(i),
                                    waited_children.kernel[i], waited_children.observed[i]});
  result.waited_children = waited_children;
}

void Verifier::add_to(Verification& result, const CheckedAccount& account) const {
  if (const char* reason = why_not_compared(account)) {
    result.not_compared[reason]++;
    return;
  }
  result.compared++;
  compare(account, result);
}

Verification Verifier::result() const {
  Verification result = ended_;
  for (const auto& [id, account] : accounts_) add_to(result, account);
  if (waited_children_) compare_waited_children(result);
  return result;
}

}  // namespace zctrace
