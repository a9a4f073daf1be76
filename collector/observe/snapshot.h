// SPDX-License-Identifier: MIT
// A copy of everything that the kernel side holds at one moment, without sums or history.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "collector/observe/skeleton.h"

namespace zctrace {

struct TaskRecord {
  zc_snapshot_task head;
  std::vector<std::pair<zc_key, zc_row>> rows;
  std::vector<zc_run> runs;  // as many, or none: only with ProbeOptions::channels
};

// The maps are read before the tasks. So a task that exits in between is missing here and complete
// in the next snapshot, but never counted twice.
struct Snapshot {
  std::vector<zc_account> accounts;
  // Those with SyscallTable::kFoldedRow are in a map of their own.
  std::vector<std::pair<zc_row_key, zc_row>> folded_rows;
  std::vector<std::pair<zc_tally_key, std::uint64_t>> tallies;
  // Without what is still in TaskRecord::head.
  std::vector<std::pair<zc_pipe_key, zc_pipe_bytes>> pipes;
  // The same, as long as no other map has them; see Skeleton::exchange_runs().
  std::vector<std::pair<zc_run_key, zc_row_sums>> runs;
  // What page faults mapped; empty without Skeleton::has_mapped().
  std::vector<std::pair<zc_mapped_key, zc_mapped_sums>> mapped;
  // Segments that TCP sent again, by socket; only with ProbeOptions::channels.
  std::vector<std::pair<zc_channel, std::uint64_t>> retransmits;
  // What accounts only passed on. Empty without ProbeOptions::relays.
  std::vector<std::pair<zc_relay_key, zc_relay_sums>> relays;
  // Of tasks that have ended, by account. Empty unless counts are verified.
  std::vector<std::pair<std::uint64_t, zc_folded_counts>> folded_counts;
  std::vector<TaskRecord> tasks;
};

// Deletes the notes of requests whose context is gone. Returns how many of them were never seen to
// complete. Throws Error when the kernel cannot be read.
std::uint64_t forget_aio_requests(Skeleton& skeleton);

// What of a snapshot is optional, as in ProbeOptions.
struct SnapshotParts {
  bool channels = false;
  bool relays = false;
};

// Throws Error when the kernel cannot be read. Costs the observed tasks nothing.
Snapshot take_snapshot(Skeleton& skeleton, SnapshotParts parts = {});

// Empties a map of Skeleton::exchange_runs(). Throws Error when it cannot be read.
std::vector<std::pair<zc_run_key, zc_row_sums>> take_runs(int map);

}  // namespace zctrace
