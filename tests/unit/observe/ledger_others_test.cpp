// SPDX-License-Identifier: MIT
// Ended processes that are added up for lack of space: no count is lost, none counts twice.
#include <gtest/gtest.h>

#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/table_view.h"
#include "collector/observe/ledger.h"

namespace zctrace {
namespace {

class Others : public ::testing::Test {
 protected:
  static zc_account account(std::uint64_t id, bool ended, std::uint32_t tid = 0) {
    zc_account account = {};
    account.id = id;
    account.pid = tid != 0 ? 100 : static_cast<std::uint32_t>(id) + 100;
    account.tid = tid;
    account.start_ns = id;
    account.started = 1;
    account.dead = ended ? 1 : 0;
    account.usage.runtime_ns = id;
    account.compat_calls = 1;
    return account;
  }
  std::uint32_t row_of(const std::string& name) const {
    for (std::size_t i = 0; i < table_.rows().size(); i++)
      if (table_.rows()[i].name == name) return static_cast<std::uint32_t>(i);
    ADD_FAILURE() << "no row " << name;
    return 0;
  }
  void did(std::uint64_t id, std::uint64_t calls, std::uint64_t bytes) {
    zc_row_key key = {};
    key.account = id;
    key.key = ZC_KEY(row_of("write"), ZC_USER, ZC_FILE);
    zc_row row = {};
    row.calls = calls;
    row.bytes = bytes;
    row.max_ns = 100 * id;
    row.latency[10] = static_cast<std::uint32_t>(calls);
    snapshot_.folded_rows.emplace_back(key, row);
  }
  // A process that wrote `bytes` in one call and has ended.
  void ended(std::uint64_t id, std::uint64_t bytes) {
    snapshot_.accounts.push_back(account(id, true));
    did(id, 1, bytes);
  }
  void add() {
    ledger_.add(snapshot_);
    ledger_.take_finished();
    snapshot_ = {};
  }
  Report report() const {
    Report report;
    report.processes = ledger_.processes();
    report.others = ledger_.others();
    return report;
  }
  std::vector<std::int64_t> pids() const {
    std::vector<std::int64_t> pids;
    for (const Process& process : ledger_.processes()) pids.push_back(process.pid);
    return pids;
  }

  SyscallTable table_;
  Ledger ledger_{table_};
  Snapshot snapshot_;
};

TEST_F(Others, NoProcessIsAddedUpWhileThereIsSpace) {
  for (std::uint64_t id = 1; id <= 5; id++) ended(id, id);
  add();
  ledger_.fold_finished(4);  // the first is always listed
  EXPECT_EQ(ledger_.processes().size(), 5u);
  EXPECT_EQ(ledger_.others().processes, 0u);
}

TEST_F(Others, TheFirstAndThoseThatMovedTheMostAreListed) {
  for (std::uint64_t id = 1; id <= 10; id++) ended(id, 10 * id);
  add();
  const Totals before = report().totals();
  ledger_.fold_finished(4);
  // Fewer than there is space for, so that it is not done for each process that ends.
  EXPECT_EQ(pids(), (std::vector<std::int64_t>{101, 108, 109, 110}));
  EXPECT_EQ(ledger_.others().processes, 6u);
  EXPECT_EQ(ledger_.others().delivered.bytes, 270u);
  const Totals after = report().totals();
  EXPECT_EQ(after.processes, 10u);
  EXPECT_EQ(after.sum.syscalls(), before.sum.syscalls());
  EXPECT_EQ(after.sum.copied_bytes(), before.sum.copied_bytes());
  EXPECT_EQ(after.sum.user_ns, before.sum.user_ns);
  EXPECT_EQ(after.sum.threads, before.sum.threads);
  EXPECT_EQ(after.delivered.bytes, before.delivered.bytes);
  ASSERT_EQ(after.sum.rows.size(), 1u);
  EXPECT_EQ(after.sum.rows[0].max_ns, 1000u);
  EXPECT_EQ(after.sum.rows[0].latency.total(), 10u);
  EXPECT_EQ(ledger_.compat_calls(), 10u);
}

TEST_F(Others, ARunningProcessIsListedWhateverItDid) {
  for (std::uint64_t id = 1; id <= 4; id++) ended(id, 10);
  snapshot_.accounts.push_back(account(5, false));
  add();
  ledger_.fold_finished(0);
  EXPECT_EQ(pids(), (std::vector<std::int64_t>{101, 105}));
  EXPECT_EQ(ledger_.running(), 1u);
}

TEST_F(Others, AChildKeepsTheCommandOfAParentThatIsNoLongerListed) {
  ended(1, 10);
  ended(2, 10);
  snapshot_.accounts.push_back(account(3, false));
  snapshot_.accounts.back().parent = 2;
  add();
  ledger_.set_command(2, {"parent"});
  ledger_.fold_finished(0);
  EXPECT_EQ(ledger_.process(3).argv, std::vector<std::string>{"parent"});
}

TEST_F(Others, AnIntervalHasOnlyWhatTheyDidInIt) {
  snapshot_.accounts = {account(1, false), account(2, false)};
  did(2, 3, 300);
  add();
  const Report earlier = report();
  snapshot_.accounts = {account(1, false), account(2, true), account(3, true)};
  did(2, 5, 500);
  did(3, 1, 7);
  add();
  ledger_.fold_finished(0);
  const Report later = report();
  const Report between = difference(later, earlier);
  EXPECT_EQ(between.others.processes, 2u);
  ASSERT_EQ(between.others.sum.rows.size(), 1u);
  EXPECT_EQ(between.others.sum.rows[0].calls, 3u);
  EXPECT_EQ(between.others.sum.rows[0].bytes, 207u);
  EXPECT_EQ(between.others.sum.rows[0].latency.total(), 3u);
  EXPECT_EQ(between.others.delivered.bytes, 207u);
  EXPECT_EQ(between.totals().sum.copied_bytes(), 207u);

  const Report nothing = difference(later, later);
  EXPECT_EQ(nothing.others.processes, 0u);
  EXPECT_TRUE(nothing.others.sum.rows.empty());
  EXPECT_EQ(nothing.totals().delivered.bytes, 0u);
}

TEST_F(Others, ThreadsOfAProcessThatAreSummedTogetherAreDerivedTogether) {
  const auto splice = [this](std::uint64_t id, zc_kind from, zc_kind to) {
    zc_row_key key = {};
    key.account = id;
    key.key = ZC_KEY(row_of("splice"), from, to);
    zc_row row = {};
    row.calls = 1;
    row.bytes = 100;
    snapshot_.folded_rows.emplace_back(key, row);
  };
  snapshot_.accounts = {account(1, true, 100), account(2, true, 102), account(3, true, 103)};
  splice(2, ZC_FILE, ZC_PIPE);
  splice(3, ZC_PIPE, ZC_SOCKET);
  add();
  ledger_.fold_finished(0);
  EXPECT_EQ(ledger_.others().delivered.bytes, 100u);
}

TEST_F(Others, AreShownInEachView) {
  for (std::uint64_t id = 1; id <= 3; id++) ended(id, 10);
  add();
  ledger_.fold_finished(0);
  const Report report = this->report();
  const std::string table = table_view(report, std::nullopt, {});
  EXPECT_NE(table.find("3 processes"), std::string::npos) << table;
  EXPECT_NE(table.find("(2 others)"), std::string::npos) << table;
  const std::string by_process = table_view(report, GroupBy::process, {});
  EXPECT_NE(by_process.find("(2 others)"), std::string::npos) << by_process;
  EXPECT_NE(csv_view(report).find("\n,,,(other processes),write,user,file,2,"), std::string::npos)
      << csv_view(report);
  const auto json = report_json(report);
  EXPECT_EQ(json["other_processes"]["count"], 2);
  EXPECT_EQ(json["other_processes"]["copied_bytes"], 20);
  EXPECT_EQ(json["totals"]["copied_bytes"], 30);
}

}  // namespace
}  // namespace zctrace
