// SPDX-License-Identifier: MIT
// Runs of tasks and sums of the map, added up by file and peer.
#include "collector/observe/channels/channel_ledger.h"

#include <gtest/gtest.h>

#include "collector/observe/snapshot.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kAccount = 7;
constexpr std::uint32_t kWord = 5;

zc_channel channel(std::uint64_t inode) {
  zc_channel channel{};
  channel.inode = inode;
  channel.device = 1;
  return channel;
}

zc_row_sums sums(std::uint64_t calls, std::uint64_t bytes) {
  zc_row_sums sums{};
  sums.calls = calls;
  sums.bytes = bytes;
  return sums;
}

std::pair<zc_run_key, zc_row_sums> in_map(std::uint64_t inode, const zc_row_sums& sums,
                                          std::uint64_t account = kAccount) {
  zc_run_key key{};
  key.account = account;
  key.key.word = kWord;
  key.from = channel(inode);
  return {key, sums};
}

// A task whose row has `bytes`, of which `before` were there when it began to use the file.
TaskRecord task(std::uint64_t inode, std::uint64_t bytes, std::uint64_t before) {
  TaskRecord task{};
  task.head.account = kAccount;
  zc_row row{};
  row.calls = 1;
  row.bytes = bytes;
  task.rows.emplace_back(zc_key{kWord}, row);
  zc_run run{};
  run.from = channel(inode);
  run.before = sums(0, before);
  task.runs.push_back(run);
  return task;
}

class ChannelLedgerTest : public ::testing::Test {
 protected:
  void add(std::vector<std::pair<zc_run_key, zc_row_sums>> runs, std::vector<TaskRecord> tasks) {
    Snapshot snapshot;
    snapshot.runs = std::move(runs);
    snapshot.tasks = std::move(tasks);
    ledger_.add(snapshot, [](std::uint64_t account) { return account == kAccount; });
  }
  std::uint64_t bytes(std::uint64_t inode) const {
    const auto& flows = ledger_.of(kAccount);
    const auto found = flows.find({kWord, {inode, 1, 0}, {}});
    return found == flows.end() ? 0 : found->second.highest.bytes;
  }

  ChannelLedger ledger_{4};
};

TEST_F(ChannelLedgerTest, AddsWhatTheMapHasAndWhatTasksHaveNotAddedYet) {
  add({in_map(1, sums(2, 200)), in_map(2, sums(1, 30))}, {task(1, 1000, 400)});
  EXPECT_EQ(bytes(1), 200u + 600u);
  EXPECT_EQ(bytes(2), 30u);
}

TEST_F(ChannelLedgerTest, NothingIsTakenAwayWhileATaskAddsItsRunToTheMap) {
  add({in_map(1, sums(2, 200))}, {task(1, 1000, 400)});
  add({in_map(1, sums(2, 200))}, {task(2, 1000, 1000)});  // not in the map yet
  EXPECT_EQ(bytes(1), 800u);
  add({in_map(1, sums(3, 800))}, {});
  EXPECT_EQ(bytes(1), 800u);
  EXPECT_EQ(bytes(2), 0u);
}

TEST_F(ChannelLedgerTest, ARunThatEndedBetweenTheTwoReadsGainedNothing) {
  add({}, {task(1, 400, 1000)});
  EXPECT_EQ(bytes(1), 0u);
}

TEST_F(ChannelLedgerTest, WhatTheKernelSideGaveUpStays) {
  add({in_map(1, sums(2, 200))}, {});
  const auto [key, given_up] = in_map(1, sums(3, 250));
  ledger_.settle(key, given_up);
  EXPECT_EQ(bytes(1), 250u);
  add({}, {});
  EXPECT_EQ(bytes(1), 250u);
  add({in_map(1, sums(1, 11))}, {});
  EXPECT_EQ(bytes(1), 261u);
}

TEST_F(ChannelLedgerTest, CountsNothingOfUnknownAccounts) {
  add({in_map(1, sums(1, 10), kAccount + 1)}, {});
  EXPECT_EQ(ledger_.size(), 0u);
}

TEST_F(ChannelLedgerTest, ForgetsTheSmallestWhenThereAreTooMany) {
  add({in_map(1, sums(1, 10)), in_map(2, sums(1, 50)), in_map(3, sums(1, 20)),
       in_map(4, sums(1, 40)), in_map(5, sums(1, 30))},
      {});
  EXPECT_EQ(ledger_.size(), 3u);
  EXPECT_EQ(ledger_.dropped(), 2u);
  EXPECT_EQ(bytes(1), 0u);
  EXPECT_EQ(bytes(3), 0u);
  EXPECT_EQ(bytes(5), 30u);
}

TEST_F(ChannelLedgerTest, ForgetsAnAccount) {
  add({in_map(1, sums(1, 10)), in_map(2, sums(1, 50))}, {});
  ledger_.forget(kAccount);
  EXPECT_EQ(ledger_.size(), 0u);
  EXPECT_EQ(bytes(1), 0u);
}

}  // namespace
}  // namespace zctrace
