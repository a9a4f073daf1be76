// SPDX-License-Identifier: MIT
// Counting, and adding the shards up.
#include "collector/fuse/counts/request_counts.h"

#include <algorithm>
#include <atomic>
#include <bit>

namespace zctrace::fuse {
namespace {

// The bucket that Histogram gives to this many ns.
std::size_t bucket_of(std::uint64_t ns) {
  const unsigned octave = ns == 0 ? 0 : static_cast<unsigned>(std::bit_width(ns)) - 1;
  if (octave < Histogram::kFirstOctave) return 0;
  const std::size_t upper_half = octave > 0 ? (ns >> (octave - 1)) & 1 : 0;
  return std::min<std::size_t>(2UL * (octave - Histogram::kFirstOctave) + upper_half,
                               Histogram::kBuckets - 1);
}

void add_outcome(OperationCounts& counts, const Outcome& outcome) {
  counts.calls++;
  if (outcome.error != 0) counts.errors++;
  counts.bytes += outcome.bytes;
  if (outcome.moved == Moved::spliced) counts.spliced_bytes += outcome.bytes;
  if (outcome.moved == Moved::copied) counts.copied_bytes += outcome.bytes;
  counts.wall_ns += outcome.wall_ns;
  counts.max_ns = std::max(counts.max_ns, outcome.wall_ns);
}

void add_all(TimedCounts& into, const TimedCounts& from) {
  into += from;
  into.latency += from.latency;
}

void add_all(OperationCounts& into, const OperationCounts& from) { into += from; }

void subtract(TimedCounts& from, const TimedCounts& earlier) {
  const bool is_older = from.max_ns == earlier.max_ns;
  from -= earlier;
  from.latency -= earlier.latency;
  if (is_older) from.max_ns = from.latency.highest_ns(from.max_ns);
}

void subtract(OperationCounts& from, const OperationCounts& earlier) { from -= earlier; }

template <typename Key, typename Counts>
void subtract_maps(std::map<Key, ByOperation<Counts>>& from,
                   const std::map<Key, ByOperation<Counts>>& earlier) {
  for (const auto& [key, operations] : earlier) {
    const auto found = from.find(key);
    if (found == from.end()) continue;
    for (const auto& [operation, counts] : operations) subtract(found->second[operation], counts);
    std::erase_if(found->second, [](const auto& item) { return item.second.calls == 0; });
    if (found->second.empty()) from.erase(found);
  }
}

// False: counted anew, because what it did before went to the other processes.
bool has_grown(const ByOperation<TimedCounts>& now, const ByOperation<TimedCounts>& before) {
  return std::all_of(before.begin(), before.end(), [&now](const auto& item) {
    const auto found = now.find(item.first);
    return found != now.end() && found->second.calls >= item.second.calls;
  });
}

// Files are many and each knows few operations: a short list costs less than a map.
template <typename Counts>
Counts& counts_of(std::vector<std::pair<Operation, Counts>>& list, Operation operation) {
  for (auto& [known, counts] : list)
    if (known == operation) return counts;
  return list.emplace_back(operation, Counts()).second;
}

template <typename Id, typename Counts>
using Lists = std::unordered_map<Id, std::vector<std::pair<Operation, Counts>>>;

template <typename Id, typename Counts>
void add_lists(std::map<Id, ByOperation<Counts>>& into, const Lists<Id, Counts>& from) {
  for (const auto& [id, list] : from)
    for (const auto& [operation, counts] : list) add_all(into[id][operation], counts);
}

template <typename Id, typename Counts>
void move_lists(Lists<Id, Counts>& into, Lists<Id, Counts>& from) {
  for (const auto& [id, list] : from)
    for (const auto& [operation, counts] : list) add_all(counts_of(into[id], operation), counts);
  from.clear();
}

// A shard that counts so many files gives them to the common ones, so that a file's counts are not
// kept once for each thread.
constexpr std::size_t kFilesOfShard = 256;

std::size_t this_threads_shard(std::size_t shards) {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t ordinal = threads++;
  return ordinal % shards;
}

}  // namespace

struct Accounts::Shard {
  std::mutex mutex;
  Lists<ProcessId, TimedCounts> processes;
  Lists<PathTree::Node, OperationCounts> files;
};

OperationCounts& OperationCounts::operator+=(const OperationCounts& other) {
  calls += other.calls;
  errors += other.errors;
  bytes += other.bytes;
  spliced_bytes += other.spliced_bytes;
  copied_bytes += other.copied_bytes;
  wall_ns += other.wall_ns;
  max_ns = std::max(max_ns, other.max_ns);
  return *this;
}

OperationCounts& OperationCounts::operator-=(const OperationCounts& other) {
  calls -= other.calls;
  errors -= other.errors;
  bytes -= other.bytes;
  spliced_bytes -= other.spliced_bytes;
  copied_bytes -= other.copied_bytes;
  wall_ns -= other.wall_ns;
  return *this;
}

AccountsSnapshot& AccountsSnapshot::operator-=(const AccountsSnapshot& earlier) {
  auto before = earlier.processes;
  other_processes -= earlier.other_processes;
  for (const auto& [id, operations] : earlier.processes) {
    const auto now = processes.find(id);
    if (now != processes.end() && has_grown(now->second, operations)) continue;
    for (const auto& [operation, counts] : operations)
      add_all(before[kOtherProcesses][operation], counts);
    before.erase(id);
  }
  subtract_maps(processes, before);
  subtract_maps(files, earlier.files);
  return *this;
}

Accounts::Accounts() : files_(std::make_unique<Shard>()) {
  for (auto& shard : shards_) shard = std::make_unique<Shard>();
}

Accounts::~Accounts() = default;

void Accounts::add(ProcessId process, PathTree::Node file, const Outcome& outcome) {
  Shard& shard = *shards_[this_threads_shard(kShards)];
  const std::lock_guard lock(shard.mutex);
  TimedCounts& timed = counts_of(shard.processes[process], outcome.operation);
  add_outcome(timed, outcome);
  timed.latency.add(bucket_of(outcome.wall_ns), 1);
  add_outcome(counts_of(shard.files[file], outcome.operation), outcome);
  if (shard.files.size() < kFilesOfShard) return;
  // Who reads them has this lock, and asks for the shard's next: later is as good.
  const std::unique_lock common(files_->mutex, std::try_to_lock);
  if (common) move_lists(files_->files, shard.files);
}

void Accounts::tell_apart(const std::unordered_set<ProcessId>& apart) {
  const std::lock_guard telling_apart(telling_apart_);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    auto& sum = shard->processes[kOtherProcesses];
    std::erase_if(shard->processes, [&](const auto& process) {
      const auto& [id, list] = process;
      if (id == kOtherProcesses || apart.contains(id)) return false;
      for (const auto& [operation, counts] : list) add_all(counts_of(sum, operation), counts);
      note_other(id);
      return true;
    });
  }
}

// Once: what comes late, through an old handle, is of one that was counted before.
void Accounts::note_other(ProcessId process) {
  if (process >= others_.size()) others_.resize(process + 1);
  other_processes_ += !others_[process];
  others_[process] = true;
}

AccountsSnapshot Accounts::snapshot() const {
  AccountsSnapshot sum;
  const std::lock_guard telling_apart(telling_apart_);
  sum.other_processes = other_processes_;
  const std::lock_guard common(files_->mutex);
  add_lists(sum.files, files_->files);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    add_lists(sum.processes, shard->processes);
    add_lists(sum.files, shard->files);
  }
  return sum;
}

}  // namespace zctrace::fuse
