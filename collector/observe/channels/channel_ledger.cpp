// SPDX-License-Identifier: MIT
// Sums of runs, by account, row and channels.
#include "collector/observe/channels/channel_ledger.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "collector/observe/kernel_records.h"
#include "collector/observe/snapshot.h"

namespace zctrace {
namespace {

// Every counter of a zc_row_sums.
inline constexpr __u64 zc_row_sums::*kSums[] = {
    &zc_row_sums::calls,     &zc_row_sums::errors,      &zc_row_sums::restarts,
    &zc_row_sums::bytes,     &zc_row_sums::wall_ns,     &zc_row_sums::off_cpu_ns,
    &zc_row_sums::voluntary, &zc_row_sums::involuntary, &zc_row_sums::disk_read,
    &zc_row_sums::dirtied,   &zc_row_sums::seen,        &zc_row_sums::untimed,
    &zc_row_sums::sampled,   &zc_row_sums::sampled_ns,  &zc_row_sums::sampled_squares,
};
static_assert(sizeof(zc_row_sums) == std::size(kSums) * sizeof(__u64));

void add_sums(zc_row_sums& sum, const zc_row_sums& more) {
  for (const auto counter : kSums) sum.*counter += more.*counter;
}

// What a row gained since its run began. Less than nothing if the run ended between the two reads.
zc_row_sums gained(const zc_row& row, const zc_row_sums& before) {
  const zc_row_sums now = sums_of(row);
  zc_row_sums more{};
  for (const auto counter : kSums)
    more.*counter = now.*counter - std::min(now.*counter, before.*counter);
  return more;
}

}  // namespace

ChannelLedger::RunKey run_key(const zc_run_key& key) {
  return {key.key.word, channel_id(key.from), channel_id(key.to)};
}

ChannelLedger::FlowSum& ChannelLedger::flow(std::uint64_t account, const RunKey& key) {
  const auto [flow, added] = accounts_[account].try_emplace(key);
  size_ += added;
  return flow->second;
}

void ChannelLedger::add(const Snapshot& snapshot, const std::function<bool(std::uint64_t)>& known) {
  std::map<std::pair<std::uint64_t, RunKey>, zc_row_sums> now;
  for (const auto& [key, sums] : snapshot.runs) add_sums(now[{key.account, run_key(key)}], sums);
  for (const TaskRecord& task : snapshot.tasks) {
    for (std::size_t i = 0; i < task.runs.size(); i++) {
      const zc_run& run = task.runs[i];
      const auto& [key, row] = task.rows[i];
      const RunKey flow = {key.word, channel_id(run.from), channel_id(run.to)};
      if (!flow.from && !flow.to) continue;
      add_sums(now[{task.head.account, flow}], gained(row, run.before));
    }
  }
  for (const auto& [key, sums] : now) {
    if (!known(key.first)) continue;
    FlowSum& sum = flow(key.first, key.second);
    for (const auto counter : kSums)
      sum.highest.*counter = std::max(sum.highest.*counter, sum.settled.*counter + sums.*counter);
  }
  if (size_ > most_) drop_smallest();
}

void ChannelLedger::settle(const zc_run_key& key, const zc_row_sums& sums) {
  FlowSum& sum = flow(key.account, run_key(key));
  add_sums(sum.settled, sums);
  for (const auto counter : kSums)
    sum.highest.*counter = std::max(sum.highest.*counter, sum.settled.*counter);
}

const ChannelLedger::Flows& ChannelLedger::of(std::uint64_t account) const {
  static const Flows none;
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? none : found->second;
}

void ChannelLedger::forget(std::uint64_t account) {
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return;
  size_ -= found->second.size();
  accounts_.erase(found);
}

// A quarter more than necessary, so that not every snapshot has to do this.
void ChannelLedger::drop_smallest() {
  std::vector<std::uint64_t> bytes;
  bytes.reserve(size_);
  for (const auto& [account, flows] : accounts_)
    for (const auto& [key, sum] : flows) bytes.push_back(sum.highest.bytes);
  const std::size_t kept = most_ - most_ / 4;
  std::nth_element(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(kept), bytes.end(),
                   std::greater<>());
  const std::uint64_t least = bytes[kept];
  std::size_t left = size_ - kept;  // to drop
  for (auto& [account, flows] : accounts_) {
    const std::size_t erased = std::erase_if(flows, [&](const auto& entry) {
      if (left == 0 || entry.second.highest.bytes > least) return false;
      left--;
      return true;
    });
    size_ -= erased;
    dropped_ += erased;
  }
}

}  // namespace zctrace
