// SPDX-License-Identifier: MIT
// What each account passed on, between which files, pipes and sockets.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "bpf/abi.h"
#include "collector/model/relays.h"
#include "collector/observe/syscall_table.h"

namespace zctrace {

struct Snapshot;

// Keeps what snapshots hold after the kernel side has forgotten it. Pure; one thread at a time.
class RelayLedger {
 public:
  // Two rows (zc_key::word) and the channels at the far end of each.
  struct RelayKey {
    std::uint32_t read;
    std::uint32_t write;
    ChannelId from;
    ChannelId to;

    auto operator<=>(const RelayKey&) const = default;
  };
  using RelaySums = std::map<RelayKey, zc_relay_sums>;

  void add(const Snapshot& snapshot);
  const RelaySums& of(std::uint64_t account) const;  // of an account that passed nothing on: none
  // The same as a report has it. `meanings`: by the rows' numbers.
  std::vector<Relay> relays_of(std::uint64_t account,
                               const std::vector<RowMeaning>& meanings) const;
  // The caller will not ask for this account again.
  void forget(std::uint64_t account) { accounts_.erase(account); }

 private:
  std::map<std::uint64_t, RelaySums> accounts_;
};

}  // namespace zctrace
