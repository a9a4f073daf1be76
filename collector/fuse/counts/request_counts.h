// SPDX-License-Identifier: MIT
// Counts of the requests that the file system has answered, by process and by file. Each request is
// counted once in both.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "collector/fuse/counts/path_tree.h"
#include "collector/model/requests.h"

namespace zctrace::fuse {

// A process as numbered by requesters.h. No number is used twice.
using ProcessId = std::uint32_t;
// The sum of all processes that are no longer listed separately.
inline constexpr ProcessId kOtherProcesses = ~ProcessId{0};

// How the bytes of one request passed through the daemon.
enum class BytePath : std::uint8_t { not_at_all, spliced, copied, in_kernel };

// What is counted of one answered request.
struct RequestRecord {
  Operation operation;
  int error = 0;  // errno, positive
  std::uint64_t bytes = 0;
  BytePath path = BytePath::not_at_all;
  std::uint64_t wall_ns = 0;
};

// The sums at one moment. They only grow, so an interval is the difference of two snapshots.
struct RequestCountsSnapshot {
  std::map<ProcessId, ByOperation<TimedCounts>> processes;
  std::map<PathTree::Node, ByOperation<OperationCounts>> files;
  std::uint64_t other_processes = 0;  // how many are in kOtherProcesses

  // Drops entries that did not change. A process that is missing since `earlier` is now one of the
  // other processes.
  RequestCountsSnapshot& operator-=(const RequestCountsSnapshot& earlier);
};

// Each thread writes to its own shard. Only a snapshot takes the lock of another thread's shard.
class RequestCounts {
 public:
  RequestCounts();

  void add(ProcessId process, PathTree::Node file, const RequestRecord& record);
  RequestCountsSnapshot snapshot() const;
  // Keeps the processes in `listed` and adds the counts of all others to kOtherProcesses.
  void list_only(const std::unordered_set<ProcessId>& listed);

 private:
  struct Shard;
  struct Files;
  static constexpr std::size_t kShards = 64;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
  std::unique_ptr<Files> files_;  // what was moved out of the shards
  // Makes list_only() atomic for snapshots: a process is listed in all shards or in none. Lock
  // order: this one before a shard's.
  mutable std::mutex listing_;
  std::uint64_t other_processes_ = 0;
  std::vector<bool> others_;  // by number: whether the process is in other_processes_

  void note_other(ProcessId process);

 public:
  ~RequestCounts();
};

}  // namespace zctrace::fuse
