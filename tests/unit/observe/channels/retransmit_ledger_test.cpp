// SPDX-License-Identifier: MIT
// Segments sent again, by socket, from a map that forgets.
#include "collector/observe/channels/retransmit_ledger.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

zc_channel socket_of(std::uint64_t inode) {
  zc_channel channel{};
  channel.inode = inode;
  channel.device = 9;
  return channel;
}

TEST(RetransmitLedger, FollowsTheMap) {
  RetransmitLedger ledger;
  ledger.add({{socket_of(1), 3}, {socket_of(2), 1}});
  ledger.add({{socket_of(1), 7}});
  EXPECT_EQ(ledger.of({1, 9, 0}), 7u);
  EXPECT_EQ(ledger.of({2, 9, 0}), 1u);
  EXPECT_EQ(ledger.of({3, 9, 0}), 0u);
}

TEST(RetransmitLedger, AnEntryThatTheKernelDroppedGoesOnFromZero) {
  RetransmitLedger ledger;
  ledger.add({{socket_of(1), 5}});
  ledger.add({{socket_of(1), 2}});
  EXPECT_EQ(ledger.of({1, 9, 0}), 7u);
}

TEST(RetransmitLedger, ForgetsTheSmallestFirst) {
  RetransmitLedger ledger(8);
  for (std::uint64_t inode = 1; inode <= 9; inode++) ledger.add({{socket_of(inode), inode}});
  EXPECT_EQ(ledger.size(), 6u);
  EXPECT_EQ(ledger.of({1, 9, 0}), 0u);
  EXPECT_EQ(ledger.of({9, 9, 0}), 9u);
}

}  // namespace
}  // namespace zctrace
