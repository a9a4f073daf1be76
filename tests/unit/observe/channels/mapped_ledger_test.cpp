// SPDX-License-Identifier: MIT
// What page faults mapped, added up by account and file.
#include "collector/observe/channels/mapped_ledger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "collector/observe/snapshot.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kAccount = 7;

zc_mapped_key key(std::uint64_t inode, std::uint64_t account = kAccount) {
  zc_mapped_key key{};
  key.account = account;
  key.file.inode = inode;
  key.file.device = inode == 0 ? 0 : 1;
  return key;
}

class MappedLedgerTest : public ::testing::Test {
 protected:
  using MapEntry = std::pair<zc_mapped_key, zc_mapped_sums>;

  void add(std::vector<MapEntry> entries) {
    Snapshot snapshot;
    snapshot.mapped = std::move(entries);
    ledger_.add(snapshot, [](std::uint64_t account) { return account == kAccount; });
  }
  // Pages and faults.
  std::pair<std::uint64_t, std::uint64_t> of(std::uint64_t inode) const {
    const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    for (const FaultedFile& mapped : ledger_.of(kAccount))
      if (mapped.file.inode == inode) return {mapped.bytes / page_bytes, mapped.faults};
    return {0, 0};
  }
  using PagesAndFaults = std::pair<std::uint64_t, std::uint64_t>;

  MappedLedger ledger_{4};
};

TEST_F(MappedLedgerTest, KeepsTheHighestThatTheMapHad) {
  add({{key(1), {16, 1}}, {key(2), {3, 3}}});
  add({{key(1), {48, 3}}});
  EXPECT_EQ(of(1), PagesAndFaults(48, 3));
  EXPECT_EQ(of(2), PagesAndFaults(3, 3));
  EXPECT_EQ(ledger_.in_map(), 1u);
}

TEST_F(MappedLedgerTest, UnknownAccountsDoNotCount) {
  add({{key(1, kAccount + 1), {16, 1}}});
  EXPECT_TRUE(ledger_.of(kAccount + 1).empty());
}

TEST_F(MappedLedgerTest, WhatLeftTheMapIsAddedToWhatComesBack) {
  add({{key(1), {16, 1}}});
  ledger_.settle(key(1), {17, 2});  // it grew between the reading and the deletion
  EXPECT_EQ(of(1), PagesAndFaults(17, 2));
  add({{key(1), {5, 5}}});
  EXPECT_EQ(of(1), PagesAndFaults(22, 7));
}

TEST_F(MappedLedgerTest, OnlyEntriesThatDidNotGrowAreIdle) {
  for (std::uint64_t reading = 1; reading <= 4; reading++)
    add({{key(1), {16, 1}}, {key(2), {reading, reading}}});
  ASSERT_EQ(ledger_.idle(3).size(), 1u);
  EXPECT_EQ(ledger_.idle(3)[0].file.inode, 1u);
  EXPECT_TRUE(ledger_.idle(4).empty());
  ledger_.settle(key(1), {16, 1});
  EXPECT_TRUE(ledger_.idle(3).empty());
}

TEST_F(MappedLedgerTest, TooManyFilesAreOneSum) {
  for (std::uint64_t inode = 1; inode <= 6; inode++) {
    add({{key(inode), {inode, 1}}});
    ledger_.settle(key(inode), {inode, 1});
  }
  std::uint64_t pages = 0;
  std::size_t named = 0;
  for (const FaultedFile& mapped : ledger_.of(kAccount)) {
    pages += mapped.bytes / static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    named += static_cast<bool>(mapped.file);
  }
  EXPECT_EQ(pages, 1u + 2 + 3 + 4 + 5 + 6);
  EXPECT_LE(named, 4u);
  EXPECT_EQ(of(6).first, 6u);  // the largest stay
  EXPECT_GT(of(0).first, 0u);
}

TEST_F(MappedLedgerTest, ForgetsAnAccount) {
  add({{key(1), {16, 1}}});
  ledger_.forget(kAccount);
  EXPECT_TRUE(ledger_.of(kAccount).empty());
}

}  // namespace
}  // namespace zctrace
