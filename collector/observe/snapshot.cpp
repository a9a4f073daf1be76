// SPDX-License-Identifier: MIT
// Reads the maps in batches and the tasks through the iterator.
#include "collector/observe/snapshot.h"

#include <cstring>
#include <unordered_set>

#include "collector/observe/map_entries.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

// Takes one fixed-size record off the front of `bytes` at `offset`.
template <typename Record>
Record take(const std::vector<char>& bytes, std::size_t& offset) {
  Record record;
  if (bytes.size() - offset < sizeof(record)) throw Error("the task walk ended inside a record");
  std::memcpy(&record, bytes.data() + offset, sizeof(record));
  offset += sizeof(record);
  return record;
}

std::vector<std::pair<zc_run_key, zc_row_sums>> read_runs(int map) {
  std::vector<std::pair<zc_run_key, zc_row_sums>> runs;
  read_map<zc_run_key, zc_row_sums>(
      map, "runs",
      [&](const zc_run_key& key, const zc_row_sums& sums) { runs.emplace_back(key, sums); });
  return runs;
}

}  // namespace

std::vector<std::pair<zc_run_key, zc_row_sums>> take_runs(int map) {
  auto runs = read_runs(map);
  for (const auto& [key, sums] : runs) bpf_map_delete_elem(map, &key);
  return runs;
}

Snapshot take_snapshot(Skeleton& skeleton, SnapshotParts parts) {
  Snapshot snapshot;
  read_map<__u64, zc_account>(
      skeleton.accounts_map(), "accounts",
      [&](__u64, const zc_account& account) { snapshot.accounts.push_back(account); });
  read_map<zc_row_key, zc_row>(skeleton.rows_map(), "rows",
                               [&](const zc_row_key& key, const zc_row& row) {
                                 snapshot.folded_rows.emplace_back(key, row);
                               });
  read_map<zc_tally_key, std::uint64_t>(skeleton.tallies_map(), "tallies",
                                        [&](const zc_tally_key& key, std::uint64_t count) {
                                          snapshot.tallies.emplace_back(key, count);
                                        });
  const zc_key folded = ZC_KEY(SyscallTable::kFoldedRow, ZC_OTHER, ZC_OTHER);
  read_map<__u64, zc_row>(skeleton.folded_map(), "folded", [&](__u64 account, const zc_row& row) {
    snapshot.folded_rows.emplace_back(zc_row_key{account, folded, 0}, row);
  });
  read_map<zc_pipe_key, zc_pipe_bytes>(skeleton.pipes_map(), "pipes",
                                       [&](const zc_pipe_key& key, const zc_pipe_bytes& bytes) {
                                         snapshot.pipes.emplace_back(key, bytes);
                                       });
  read_map<__u64, zc_folded_counts>(skeleton.kernel_counts_map(), "kernel_counts",
                                    [&](__u64 account, const zc_folded_counts& counts) {
                                      snapshot.folded_counts.emplace_back(account, counts);
                                    });
  if (parts.channels) {
    snapshot.runs = read_runs(skeleton.runs_map());
    read_map<zc_channel, std::uint64_t>(skeleton.retransmits_map(), "retransmits",
                                        [&](const zc_channel& socket, std::uint64_t segments) {
                                          snapshot.retransmits.emplace_back(socket, segments);
                                        });
  }
  if (skeleton.has_mapped())
    read_map<zc_mapped_key, zc_mapped_sums>(
        skeleton.mapped_map(), "mapped", [&](const zc_mapped_key& key, const zc_mapped_sums& sums) {
          snapshot.mapped.emplace_back(key, sums);
        });
  if (parts.relays)
    read_map<zc_relay_key, zc_relay_sums>(skeleton.relays_map(), "relays",
                                          [&](const zc_relay_key& key, const zc_relay_sums& sums) {
                                            snapshot.relays.emplace_back(key, sums);
                                          });
  const std::vector<char> bytes = skeleton.walk(ZC_WALK_SNAPSHOT);
  for (std::size_t offset = 0; offset < bytes.size();) {
    TaskRecord task{take<zc_snapshot_task>(bytes, offset), {}, {}};
    task.rows.reserve(task.head.used);
    for (__u32 i = 0; i < task.head.used; i++) {
      const zc_key key = take<zc_key>(bytes, offset);
      task.rows.emplace_back(key, take<zc_row>(bytes, offset));
      if (parts.channels) task.runs.push_back(take<zc_run>(bytes, offset));
    }
    snapshot.tasks.push_back(std::move(task));
  }
  return snapshot;
}

std::uint64_t forget_aio_requests(Skeleton& skeleton) {
  std::vector<std::pair<zc_aio_request, zc_aio_note>> notes;
  read_map<zc_aio_request, zc_aio_note>(
      skeleton.aio_requests_map(), "aio_requests",
      [&](const zc_aio_request& request, const zc_aio_note& note) {
        notes.emplace_back(request, note);
      });
  if (notes.empty()) return 0;
  // After the notes: a context is there before its notes are.
  struct AioContext {
    __u64 process, address;
  };
  std::unordered_set<std::uint64_t> open;
  read_map<AioContext, zc_aio_seen>(
      skeleton.aio_contexts_map(), "aio_contexts",
      [&](const AioContext&, const zc_aio_seen& seen) { open.insert(seen.number); });
  std::uint64_t lost = 0;
  for (const auto& [request, note] : notes) {
    if (open.contains(request.context)) continue;
    if (bpf_map_delete_elem(skeleton.aio_requests_map(), &request) == 0) lost += note.row != 0;
  }
  return lost;
}

}  // namespace zctrace
