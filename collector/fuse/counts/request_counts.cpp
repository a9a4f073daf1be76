// SPDX-License-Identifier: MIT
// Counts requests in shards, and adds the shards up.
#include "collector/fuse/counts/request_counts.h"

#include <algorithm>
#include <atomic>
#include <bit>

namespace zctrace::fuse {
namespace {

// The bucket of Histogram that holds this many ns.
std::size_t bucket_of(std::uint64_t ns) {
  const unsigned octave = ns == 0 ? 0 : static_cast<unsigned>(std::bit_width(ns)) - 1;
  if (octave < Histogram::kFirstOctave) return 0;
  const std::size_t upper_half = octave > 0 ? (ns >> (octave - 1)) & 1 : 0;
  return std::min<std::size_t>(2UL * (octave - Histogram::kFirstOctave) + upper_half,
                               Histogram::kBuckets - 1);
}

void add_record(OperationCounts& counts, const RequestRecord& record) {
  counts.calls++;
  if (record.error != 0) counts.errors++;
  counts.bytes += record.bytes;
  if (record.path == BytePath::spliced) counts.spliced_bytes += record.bytes;
  if (record.path == BytePath::copied) counts.copied_bytes += record.bytes;
  counts.wall_ns += record.wall_ns;
  counts.max_ns = std::max(counts.max_ns, record.wall_ns);
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

// False when a process started again at zero, because its earlier counts moved to the other
// processes.
bool has_grown(const ByOperation<TimedCounts>& now, const ByOperation<TimedCounts>& before) {
  return std::all_of(before.begin(), before.end(), [&now](const auto& item) {
    const auto found = now.find(item.first);
    return found != now.end() && found->second.calls >= item.second.calls;
  });
}

// There are many files, and each has few operations: a short list costs less than a map.
template <typename Counts>
Counts& counts_of(std::vector<std::pair<Operation, Counts>>& list, Operation operation) {
  for (auto& [counted, counts] : list)
    if (counted == operation) return counts;
  return list.emplace_back(operation, Counts()).second;
}

template <typename Id, typename Counts>
using Lists = std::unordered_map<Id, std::vector<std::pair<Operation, Counts>>>;

template <typename Id, typename Counts>
void add_lists(std::map<Id, ByOperation<Counts>>& into, const Lists<Id, Counts>& from) {
  for (const auto& [id, list] : from)
    for (const auto& [operation, counts] : list) add_all(into[id][operation], counts);
}

// A file's requests of one operation that a thread has served, and not yet added to those of the
// other threads.
struct RecentRequests {
  PathTree::Node file;
  Operation operation;
  OperationCounts counts;
};

// A shard with this many moves them to the common counts, so that the lock that these need is
// seldom taken. Often a thread's next request is for one of the last files.
constexpr std::size_t kRecent = 256;
constexpr std::size_t kLatest = 4;

OperationCounts& latest_of(std::vector<RecentRequests>& recent, PathTree::Node file,
                           Operation operation) {
  const std::size_t end = recent.size() - std::min(recent.size(), kLatest);
  for (std::size_t i = recent.size(); i > end; --i)
    if (recent[i - 1].file == file && recent[i - 1].operation == operation)
      return recent[i - 1].counts;
  return recent.emplace_back(RecentRequests{file, operation, {}}).counts;
}

std::size_t this_threads_shard(std::size_t shards) {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t ordinal = threads++;
  return ordinal % shards;
}

}  // namespace

struct RequestCounts::Shard {
  std::mutex mutex;
  Lists<ProcessId, TimedCounts> processes;
  std::vector<RecentRequests> files;
};

struct RequestCounts::Files {
  std::mutex mutex;
  Lists<PathTree::Node, OperationCounts> counts;
};

RequestCountsSnapshot& RequestCountsSnapshot::operator-=(const RequestCountsSnapshot& earlier) {
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

RequestCounts::RequestCounts() : files_(std::make_unique<Files>()) {
  for (auto& shard : shards_) shard = std::make_unique<Shard>();
}

RequestCounts::~RequestCounts() = default;

void RequestCounts::add(ProcessId process, PathTree::Node file, const RequestRecord& record) {
  Shard& shard = *shards_[this_threads_shard(kShards)];
  const std::lock_guard lock(shard.mutex);
  TimedCounts& timed = counts_of(shard.processes[process], record.operation);
  add_record(timed, record);
  timed.latency.add(bucket_of(record.wall_ns), 1);
  add_record(latest_of(shard.files, file, record.operation), record);
  if (shard.files.size() < kRecent) return;
  // A thread that takes a snapshot holds this lock and waits for the shard's lock next. Waiting
  // here would deadlock, and the files can just as well be moved later.
  const std::unique_lock common(files_->mutex, std::try_to_lock);
  if (!common) return;
  for (; !shard.files.empty(); shard.files.pop_back()) {
    const RecentRequests& recent = shard.files.back();
    add_all(counts_of(files_->counts[recent.file], recent.operation), recent.counts);
  }
}

void RequestCounts::list_only(const std::unordered_set<ProcessId>& listed) {
  const std::lock_guard listing(listing_);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    auto& sum = shard->processes[kOtherProcesses];
    std::erase_if(shard->processes, [&](const auto& process) {
      const auto& [id, list] = process;
      if (id == kOtherProcesses || listed.contains(id)) return false;
      for (const auto& [operation, counts] : list) add_all(counts_of(sum, operation), counts);
      note_other(id);
      return true;
    });
  }
}

// Counts each process once. A late request, made through a handle that was opened earlier, belongs
// to a process that is counted already.
void RequestCounts::note_other(ProcessId process) {
  if (process >= others_.size()) others_.resize(process + 1);
  other_processes_ += !others_[process];
  others_[process] = true;
}

RequestCountsSnapshot RequestCounts::snapshot() const {
  RequestCountsSnapshot sum;
  const std::lock_guard listing(listing_);
  sum.other_processes = other_processes_;
  const std::lock_guard common(files_->mutex);
  add_lists(sum.files, files_->counts);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    add_lists(sum.processes, shard->processes);
    for (const RecentRequests& recent : shard->files)
      add_all(sum.files[recent.file][recent.operation], recent.counts);
  }
  return sum;
}

}  // namespace zctrace::fuse
