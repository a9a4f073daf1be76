// SPDX-License-Identifier: MIT
// What has been asked of the file system: by process and by file, counted once each.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "collector/fuse/counts/operation.h"
#include "collector/fuse/counts/path_tree.h"
#include "collector/model/report.h"

namespace zctrace::fuse {

// A process as requesters.h numbers them; a number is given once.
using ProcessId = std::uint32_t;
// All those together that are no longer told apart.
inline constexpr ProcessId kOtherProcesses = ~ProcessId{0};

struct OperationCounts {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t bytes = 0;
  std::uint64_t spliced_bytes = 0;  // of the bytes, those that the daemon spliced
  std::uint64_t copied_bytes = 0;   // and those that it copied through its own memory
  std::uint64_t wall_ns = 0;        // from taking the request up to having replied
  std::uint64_t max_ns = 0;

  OperationCounts& operator+=(const OperationCounts& other);
  OperationCounts& operator-=(const OperationCounts& other);  // max_ns stays
};

struct TimedCounts : OperationCounts {
  Histogram latency;
};

// How the bytes of one request moved through the daemon.
enum class Moved : std::uint8_t { not_at_all, spliced, copied, in_kernel };

// One request that has been answered.
struct Outcome {
  Operation operation;
  int error = 0;  // errno, positive
  std::uint64_t bytes = 0;
  Moved moved = Moved::not_at_all;
  std::uint64_t wall_ns = 0;
};

template <typename Counts>
using ByOperation = std::map<Operation, Counts>;

// The sums at one moment; they only grow, so that an interval is a difference.
struct AccountsSnapshot {
  std::map<ProcessId, ByOperation<TimedCounts>> processes;
  std::map<PathTree::Node, ByOperation<OperationCounts>> files;
  std::uint64_t other_processes = 0;  // how many are in kOtherProcesses

  // What did not change goes. Who is missing since `earlier` is one of the other processes.
  AccountsSnapshot& operator-=(const AccountsSnapshot& earlier);
};

// A thread writes to its own shard, whose lock nobody else wants except to take a snapshot.
class Accounts {
 public:
  Accounts();

  void add(ProcessId process, PathTree::Node file, const Outcome& outcome);
  AccountsSnapshot snapshot() const;
  // Adds to kOtherProcesses what everybody did but `apart`.
  void tell_apart(const std::unordered_set<ProcessId>& apart);

 private:
  struct Shard;
  static constexpr std::size_t kShards = 64;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
  std::unique_ptr<Shard> files_;  // what is in none of the others any more
  // A process is in all shards told apart, or in none. Taken before a shard's lock.
  mutable std::mutex telling_apart_;
  std::uint64_t other_processes_ = 0;
  std::vector<bool> others_;  // by number: whether it is counted there

  void note_other(ProcessId process);

 public:
  ~Accounts();
};

}  // namespace zctrace::fuse
