// SPDX-License-Identifier: MIT
// What the ledger keeps of ended processes once they have been reported.
#include <gtest/gtest.h>

#include <cstring>

#include "collector/observe/ledger.h"

namespace zctrace {
namespace {

zc_account account(std::uint64_t id, std::uint64_t parent, bool ended) {
  zc_account account = {};
  account.id = id;
  account.parent = parent;
  account.pid = static_cast<std::uint32_t>(id) + 100;
  account.start_ns = id;
  account.started = 1;
  account.dead = ended ? 1 : 0;
  account.compat_calls = 3;
  return account;
}

TEST(LedgerForgetting, DropsEndedProcessesAndKeepsTheRest) {
  const SyscallTable table;
  Ledger ledger(table);
  EXPECT_TRUE(ledger.empty());
  Snapshot snapshot;
  snapshot.accounts = {account(1, 0, true), account(2, 1, false)};
  ledger.add(snapshot);
  ledger.set_command(1, {"parent", "word"});
  EXPECT_EQ(ledger.take_finished(), std::vector<std::uint64_t>{1});
  EXPECT_EQ(ledger.processes().size(), 2U);
  ledger.forget_finished();
  const std::vector<Process> left = ledger.processes();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].pid, 102);
  // It never made an exec, and its parent is no longer there to take the command line from.
  EXPECT_EQ(left[0].argv, (std::vector<std::string>{"parent", "word"}));
  EXPECT_EQ(ledger.compat_calls(), 6U);
  EXPECT_EQ(ledger.running(), 1U);
  EXPECT_EQ(ledger.account_of(101), 0U);
}

TEST(LedgerForgetting, IsNotEmptyAfterwards) {
  const SyscallTable table;
  Ledger ledger(table);
  Snapshot snapshot;
  snapshot.accounts = {account(1, 0, true)};
  ledger.add(snapshot);
  ledger.take_finished();
  ledger.forget_finished();
  EXPECT_TRUE(ledger.processes().empty());
  EXPECT_FALSE(ledger.empty());
  EXPECT_EQ(ledger.compat_calls(), 3U);
}

}  // namespace
}  // namespace zctrace
