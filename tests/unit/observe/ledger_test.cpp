// SPDX-License-Identifier: MIT
// Snapshots added up: folded tasks, running tasks, and tasks that a snapshot misses.
#include "collector/observe/ledger.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace zctrace {
namespace {

constexpr std::uint64_t kAccount = 7;

std::uint16_t row_number(const SyscallTable& table, const std::string& name) {
  for (std::size_t i = 0; i < table.rows().size(); i++)
    if (table.rows()[i].name == name) return static_cast<std::uint16_t>(i);
  ADD_FAILURE() << "no row " << name;
  return 0;
}

class LedgerTest : public ::testing::Test {
 protected:
  zc_key read_key() const { return ZC_KEY(row_number(table_, "read"), ZC_FILE, ZC_USER); }

  static zc_account account(std::uint32_t started, std::uint32_t dead) {
    zc_account account{};
    account.id = kAccount;
    account.pid = 42;
    account.started = started;
    account.folded = account.dead = dead;
    std::strcpy(account.name, "reader");
    return account;
  }
  static zc_row row(std::uint64_t calls, std::uint64_t bytes, std::uint32_t bucket_count) {
    zc_row row{};
    row.calls = calls;
    row.bytes = bytes;
    row.max_ns = 100 * calls;
    row.latency[10] = bucket_count;
    return row;
  }
  TaskRecord task(const zc_row& row) const {
    TaskRecord task{};
    task.head.account = kAccount;
    task.head.used = 1;
    task.rows.emplace_back(read_key(), row);
    return task;
  }
  std::pair<zc_row_key, zc_row> folded(const zc_row& row) const {
    zc_row_key key{};
    key.account = kAccount;
    key.key = read_key();
    return {key, row};
  }
  Row only_row() const {
    const Process process = ledger_.process(kAccount);
    EXPECT_EQ(process.rows.size(), 1u);
    return process.rows.at(0);
  }

  SyscallTable table_;
  Ledger ledger_{table_};
};

TEST_F(LedgerTest, IdentitiesAreTheProcessesWithoutTheirFigures) {
  Snapshot snapshot;
  snapshot.accounts = {account(1, 1)};
  snapshot.accounts[0].parent_pid = 40;
  snapshot.accounts[0].start_ns = 11;
  snapshot.accounts[0].end_ns = 13;
  snapshot.folded_rows = {folded(row(3, 300, 3))};
  ledger_.add(snapshot);
  const std::vector<Process> identities = ledger_.identities();
  ASSERT_EQ(identities.size(), 1u);
  EXPECT_EQ(identities[0].pid, 42);
  EXPECT_EQ(identities[0].parent_pid, 40);
  EXPECT_EQ(identities[0].name, "reader");
  EXPECT_EQ(identities[0].start_ns, 11u);
  EXPECT_EQ(identities[0].end_ns, 13u);
  EXPECT_TRUE(identities[0].rows.empty());
  EXPECT_EQ(ledger_.processes().at(0).rows.size(), 1u);
}

TEST_F(LedgerTest, AddsWhatEndedAndWhatRuns) {
  Snapshot snapshot;
  snapshot.accounts = {account(2, 1)};
  snapshot.folded_rows = {folded(row(3, 300, 3))};
  snapshot.tasks = {task(row(2, 200, 2))};
  ledger_.add(snapshot);
  EXPECT_EQ(only_row().syscall, "read");
  EXPECT_EQ(only_row().from, Kind::file);
  EXPECT_EQ(only_row().calls, 5u);
  EXPECT_EQ(only_row().bytes, 500u);
  EXPECT_EQ(only_row().latency.total(), 5u);
  EXPECT_FALSE(ledger_.finished(kAccount));
}

TEST_F(LedgerTest, ATaskThatASnapshotMissesTakesNothingAway) {
  Snapshot first;
  first.accounts = {account(1, 0)};
  first.tasks = {task(row(10, 1000, 10))};
  ledger_.add(first);
  Snapshot missing;  // the task was folded after the rows were read
  missing.accounts = {account(1, 0)};
  ledger_.add(missing);
  EXPECT_EQ(only_row().calls, 10u);
  EXPECT_EQ(only_row().latency.total(), 10u);
  Snapshot last;
  last.accounts = {account(1, 1)};
  last.folded_rows = {folded(row(12, 1200, 12))};
  ledger_.add(last);
  EXPECT_EQ(only_row().calls, 12u);
  EXPECT_EQ(only_row().bytes, 1200u);
  EXPECT_EQ(only_row().latency.total(), 12u);
  EXPECT_TRUE(ledger_.finished(kAccount));
}

TEST_F(LedgerTest, ARowThatMovesToTheFoldedRowCountsOnce) {
  const auto in_folded_row = [this](const zc_row& row) {
    auto entry = folded(row);
    entry.first.key = ZC_KEY(SyscallTable::kFoldedRow, ZC_OTHER, ZC_OTHER);
    return entry;
  };
  const auto expect_calls = [this](std::uint64_t own, std::uint64_t in_folded) {
    std::map<std::string, std::uint64_t> calls;
    for (const Row& row : ledger_.process(kAccount).rows) {
      calls[row.syscall] = row.calls;
      EXPECT_EQ(row.bytes, row.calls * 100) << row.syscall;
      EXPECT_EQ(row.latency.total(), row.calls) << row.syscall;
    }
    EXPECT_EQ(calls["read"], own);
    EXPECT_EQ(calls["(folded)"], in_folded);
  };
  Snapshot snapshot;
  snapshot.accounts = {account(1, 0)};
  snapshot.tasks = {task(row(5, 500, 5))};
  ledger_.add(snapshot);
  // Two more, and the task gives the row up.
  snapshot.tasks.clear();
  snapshot.folded_rows = {in_folded_row(row(7, 700, 7))};
  ledger_.add(snapshot);
  expect_calls(5, 2);
  // The task has the row again.
  snapshot.tasks = {task(row(4, 400, 4))};
  ledger_.add(snapshot);
  expect_calls(5, 6);
  snapshot.tasks = {task(row(9, 900, 9))};
  ledger_.add(snapshot);
  expect_calls(9, 7);
  snapshot.tasks.clear();
  snapshot.folded_rows = {in_folded_row(row(16, 1600, 16))};
  ledger_.add(snapshot);
  expect_calls(9, 7);
}

TEST_F(LedgerTest, ATaskRunsEvenIfItsAccountWasNotReadYet) {
  Snapshot parent_died;  // in between, and left a child
  parent_died.accounts = {account(1, 1)};
  TaskRecord child = task(row(1, 100, 1));
  child.head.account = kAccount + 1;
  parent_died.tasks = {child};
  ledger_.add(parent_died);
  EXPECT_TRUE(ledger_.finished(kAccount));
  EXPECT_EQ(ledger_.running(), 1u);
  parent_died.tasks.clear();
  ledger_.add(parent_died);
  EXPECT_EQ(ledger_.running(), 0u);
}

TEST_F(LedgerTest, AProcessWithoutTasksHasEnded) {
  Snapshot snapshot;
  snapshot.accounts = {account(3, 2)};
  for (int i = 0; i < 4; i++) ledger_.add(snapshot);
  snapshot.tasks = {task(row(1, 100, 1))};  // the task was missed before
  for (int i = 0; i < 10; i++) ledger_.add(snapshot);
  snapshot.tasks.clear();
  for (int i = 0; i < 4; i++) ledger_.add(snapshot);
  EXPECT_EQ(ledger_.running(), 1u);
  ledger_.add(snapshot);
  EXPECT_EQ(ledger_.running(), 0u);
  EXPECT_EQ(only_row().calls, 1u);
}

TEST_F(LedgerTest, AnAccountWithoutATaskIsNotAProcess) {
  Snapshot snapshot;
  snapshot.accounts = {account(0, 0)};
  ledger_.add(snapshot);
  EXPECT_EQ(ledger_.running(), 0u);
  EXPECT_TRUE(ledger_.processes().empty());
}

TEST_F(LedgerTest, AnAccountIsFoundByItsProcessAndThread) {
  Snapshot snapshot;
  for (const std::uint32_t tid : {42U, 43U}) {
    zc_account of_thread = account(1, 0);
    of_thread.id = tid;
    of_thread.tid = tid;
    snapshot.accounts.push_back(of_thread);
  }
  ledger_.add(snapshot);
  EXPECT_EQ(ledger_.account_of(42), 43U);  // the latest
  EXPECT_EQ(ledger_.account_of(42, 42), 42U);
  EXPECT_EQ(ledger_.account_of(42, 43), 43U);
  EXPECT_EQ(ledger_.account_of(42, 44), 0U);
  EXPECT_EQ(ledger_.account_of(41, 42), 0U);
}

TEST_F(LedgerTest, BucketsThatWrapAreWidened) {
  Snapshot first;
  first.accounts = {account(1, 0)};
  first.tasks = {task(row(10, 0, 0x7ffffff0U))};
  ledger_.add(first);
  Snapshot second = first;
  second.tasks = {task(row(11, 0, 0xffffffe0U))};
  ledger_.add(second);
  Snapshot third = first;
  third.tasks = {task(row(12, 0, 0x00000010U))};  // past 2^32
  ledger_.add(third);
  EXPECT_EQ(only_row().latency.total(), 0x100000010ULL);
}

TEST_F(LedgerTest, AProcessWithoutAnExecHasItsParentsCommand) {
  Snapshot snapshot;
  zc_account child = account(1, 0);
  child.id = 8;
  child.parent = kAccount;
  child.pid = 43;
  snapshot.accounts = {account(1, 0), child};
  ledger_.add(snapshot);
  ledger_.set_command(kAccount, {"make", "-j2"});
  EXPECT_EQ(ledger_.process(8).argv, (std::vector<std::string>{"make", "-j2"}));
}

TEST_F(LedgerTest, CpuTimeIsExactAndItsSplitByTicks) {
  Snapshot snapshot;
  zc_account ended = account(1, 1);
  ended.usage.runtime_ns = 9000000;
  ended.usage.user_ns = 4000000;  // one tick
  ended.usage.system_ns = 8000000;
  snapshot.accounts = {ended};
  ledger_.add(snapshot);
  EXPECT_EQ(ledger_.process(kAccount).user_ns, 3000000u);
  EXPECT_EQ(ledger_.process(kAccount).system_ns, 6000000u);
}

TEST_F(LedgerTest, AnExitStatusIsAsAShellShowsIt) {
  Snapshot snapshot;
  zc_account killed = account(1, 1);
  killed.exit_code = 9;  // SIGKILL
  snapshot.accounts = {killed};
  ledger_.add(snapshot);
  EXPECT_EQ(ledger_.process(kAccount).exit_code, 137);
}

}  // namespace
}  // namespace zctrace
