// SPDX-License-Identifier: MIT
// What page faults of each account mapped of each file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "collector/model/report.h"

namespace zctrace {

struct Snapshot;

// Adds up snapshots. No count ever decreases. Pure; one thread at a time.
class MappedLedger {
 public:
  // `most`: files to remember, of all accounts. Of what was mapped of more, only the sum is kept.
  explicit MappedLedger(std::size_t most = kMostFiles) : most_(most) {}

  // Counts only the accounts that are known: the map may still hold what others did.
  void add(const Snapshot& snapshot, const std::function<bool(std::uint64_t account)>& known);

  // How many entries the map had in the latest snapshot.
  std::size_t in_map() const { return in_map_; }
  // Entries of the map that did not change in the last `snapshots` snapshots.
  std::vector<zc_mapped_key> idle(unsigned snapshots) const;
  // The kernel side no longer has this entry, which held `last`.
  void settle(const zc_mapped_key& key, const zc_mapped_sums& last);

  // In bytes. A file that is all zero stands for those that are not remembered.
  std::vector<FaultedFile> of(std::uint64_t account) const;
  // The caller will not ask for this account again.
  void forget(std::uint64_t account);

 private:
  static constexpr std::size_t kMostFiles = 32768;

  struct MappedSum {
    zc_mapped_sums settled{};  // of entries that were deleted
    zc_mapped_sums current{};  // of the entry
    unsigned unchanged = 0;    // snapshots
    bool in_map = false;
  };
  using Files = std::map<ChannelId, MappedSum>;

  MappedSum& file(std::uint64_t account, const ChannelId& file);
  // Adds those that have no entry, and the fewest pages, to their account's sum.
  void sum_smallest();

  std::size_t most_;
  std::size_t size_ = 0;
  std::size_t in_map_ = 0;
  std::map<std::uint64_t, Files> accounts_;
};

}  // namespace zctrace
