// What has been asked of the file system: by process and by file, counted once each.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "collector/fuse/operation.h"
#include "collector/fuse/path_tree.h"
#include "collector/report.h"

namespace zctrace::fuse {

// A process as requesters.h numbers them.
using ProcessId = std::uint32_t;

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

  AccountsSnapshot& operator-=(const AccountsSnapshot& earlier);  // what did not change goes
};

// A thread writes to its own shard, whose lock nobody else wants except to take a snapshot.
class Accounts {
 public:
  Accounts();

  void add(ProcessId process, PathTree::Node file, const Outcome& outcome);
  AccountsSnapshot snapshot() const;

 private:
  struct Shard;
  static constexpr std::size_t kShards = 64;
  std::array<std::unique_ptr<Shard>, kShards> shards_;

 public:
  ~Accounts();
};

}  // namespace zctrace::fuse
