// SPDX-License-Identifier: MIT
// What each account did with each file, pipe and socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include "bpf/abi.h"
#include "collector/model/channels.h"

namespace zctrace {

struct Snapshot;

// Adds up snapshots. No count ever decreases, even where a snapshot misses what a task is just
// adding to its account. Pure; one thread at a time.
class ChannelLedger {
 public:
  static constexpr std::size_t kMostFlows = 32768;

  // A row (zc_key::word) with its channels.
  struct RunKey {
    std::uint32_t word;
    ChannelId from;
    ChannelId to;

    auto operator<=>(const RunKey&) const = default;
  };
  struct FlowSum {
    zc_row_sums settled{};  // of maps that were emptied
    zc_row_sums highest{};  // ever seen, with what was settled
  };
  using Flows = std::map<RunKey, FlowSum>;

  // `most`: flows to remember, of all accounts; those with the fewest bytes are forgotten first.
  explicit ChannelLedger(std::size_t most = kMostFlows) : most_(most) {}
  // From now on it remembers at most that many.
  void limit(std::size_t most) { most_ = most; }

  // What the map holds and what tasks have not added to it yet, of the accounts that are known: the
  // map may still hold what others did.
  void add(const Snapshot& snapshot, const std::function<bool(std::uint64_t account)>& known);
  // The kernel side no longer has what was in the map.
  void settle(const zc_run_key& key, const zc_row_sums& sums);

  const Flows& of(std::uint64_t account) const;  // of an account without flows: none
  // The caller will not ask for this account again.
  void forget(std::uint64_t account);
  std::size_t size() const { return size_; }
  // How many flows were forgotten because there were too many.
  std::uint64_t dropped() const { return dropped_; }

 private:
  FlowSum& flow(std::uint64_t account, const RunKey& key);
  void drop_smallest();

  std::size_t most_;
  std::size_t size_ = 0;
  std::uint64_t dropped_ = 0;
  std::map<std::uint64_t, Flows> accounts_;
};

ChannelLedger::RunKey run_key(const zc_run_key& key);

}  // namespace zctrace
