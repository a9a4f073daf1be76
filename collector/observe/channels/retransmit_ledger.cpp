// SPDX-License-Identifier: MIT
// Sums of segments by socket.
#include "collector/observe/channels/retransmit_ledger.h"

#include <algorithm>

namespace zctrace {

void RetransmitLedger::add(const std::vector<std::pair<zc_channel, std::uint64_t>>& counts) {
  for (const auto& [socket, segments] : counts) {
    Count& count = sockets_[{socket.inode, socket.device, socket.generation}];
    if (segments < count.current) count.settled += count.current;
    count.current = segments;
  }
  if (sockets_.size() > most_) drop_smallest();
}

std::uint64_t RetransmitLedger::of(const ChannelId& socket) const {
  const auto found = sockets_.find(socket);
  return found == sockets_.end() ? 0 : found->second.sum();
}

// A quarter more than necessary, so that not every snapshot has to do this.
void RetransmitLedger::drop_smallest() {
  std::vector<std::uint64_t> sums;
  sums.reserve(sockets_.size());
  for (const auto& [socket, count] : sockets_) sums.push_back(count.sum());
  std::size_t left = sockets_.size() - (most_ - most_ / 4);
  const auto bound = sums.begin() + static_cast<std::ptrdiff_t>(left - 1);
  std::nth_element(sums.begin(), bound, sums.end());
  const std::uint64_t most = *bound;
  std::erase_if(sockets_, [&](const auto& entry) {
    if (left == 0 || entry.second.sum() > most) return false;
    left--;
    return true;
  });
}

}  // namespace zctrace
