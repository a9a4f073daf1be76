// SPDX-License-Identifier: MIT
// zctrace's own serving threads in the ledger.
#include <gtest/gtest.h>

#include <utility>

#include "collector/observe/ledger.h"

namespace zctrace {
namespace {

zc_account account(std::uint64_t id, std::uint32_t pid, bool ended) {
  zc_account account = {};
  account.id = id;
  account.pid = pid;
  account.started = 1;
  account.dead = ended ? 1 : 0;
  return account;
}

TEST(OwnThreads, AreNotProcessesAndAreKept) {
  const SyscallTable table;
  Ledger ledger(table, 100);
  Snapshot snapshot;
  snapshot.accounts = {account(1, 100, true), account(2, 100, false), account(3, 200, true)};
  for (const auto& [id, pid] : {std::pair{1U, 100U}, {2U, 100U}, {3U, 200U}}) {
    TaskRecord task = {};
    task.head.account = id;
    task.head.pid = pid;
    task.head.in_call = 1;
    snapshot.tasks.push_back(task);
  }
  ledger.add(snapshot);
  EXPECT_EQ(ledger.processes().size(), 1U);
  EXPECT_EQ(ledger.running(), 0U);
  EXPECT_EQ(ledger.tasks_in_call(), 1U);
  ledger.take_finished();
  ledger.forget_finished();
  EXPECT_TRUE(ledger.processes().empty());
  EXPECT_EQ(ledger.own_threads().size(), 2U);
}

}  // namespace
}  // namespace zctrace
