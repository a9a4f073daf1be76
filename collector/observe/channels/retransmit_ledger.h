// SPDX-License-Identifier: MIT
// How many segments each socket sent again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "collector/model/channels.h"

namespace zctrace {

// Adds up what the kernel's map held at different moments. The kernel drops its oldest entries when
// there are too many; such a socket begins again at 0. Pure; one thread at a time.
class RetransmitLedger {
 public:
  // `most`: sockets to remember; those with the fewest segments are forgotten first.
  explicit RetransmitLedger(std::size_t most = kMostSockets) : most_(most) {}

  // What the map holds now.
  void add(const std::vector<std::pair<zc_channel, std::uint64_t>>& counts);
  std::uint64_t of(const ChannelId& socket) const;  // 0: none, or forgotten
  std::size_t size() const { return sockets_.size(); }

 private:
  static constexpr std::size_t kMostSockets = 65536;

  struct Count {
    std::uint64_t settled = 0;  // of entries that were dropped
    std::uint64_t current = 0;
    std::uint64_t sum() const { return settled + current; }
  };

  void drop_smallest();

  std::size_t most_;
  std::map<ChannelId, Count> sockets_;
};

}  // namespace zctrace
