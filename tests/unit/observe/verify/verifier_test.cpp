// SPDX-License-Identifier: MIT
// The kernel's counts compared with the rows: what is equal, what is open, what differs.
#include "collector/observe/verify/verifier.h"

#include <gtest/gtest.h>

#include <string>

#include "cli/views/report/verification_facts.h"
#include "tests/unit/observe/verify/counted_rows.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kAccount = 3;
constexpr std::uint64_t kParent = 1;
constexpr std::int64_t kPid = 42;

zc_kernel_counts reads(std::uint64_t syscr, std::uint64_t rchar) {
  zc_kernel_counts counts{};
  counts.syscr = syscr;
  counts.rchar = rchar;
  return counts;
}

class VerifierTest : public ::testing::Test {
 protected:
  static zc_account account(std::uint32_t started, std::uint32_t dead) {
    zc_account account{};
    account.id = kAccount;
    account.parent = kParent;
    account.pid = kPid;
    account.started = started;
    account.folded = account.dead = dead;
    return account;
  }
  static zc_account attached(std::uint32_t started = 1, std::uint32_t dead = 0) {
    zc_account record = account(started, dead);
    record.parent = 0;
    return record;
  }
  zc_key key_of(const std::string& syscall) const {
    for (std::size_t i = 0; i < table_.rows().size(); i++)
      if (table_.rows()[i].name == syscall)
        return ZC_KEY(static_cast<std::uint32_t>(i), ZC_FILE, ZC_USER);
    ADD_FAILURE() << "no row of " << syscall;
    return {};
  }

  // A process that has ended.
  void add_ended(const zc_account& record, const zc_row& counted, const zc_kernel_counts& kernel,
                 const std::string& syscall = "read") {
    Snapshot snapshot;
    snapshot.accounts = {record};
    zc_row_key key{};
    key.account = kAccount;
    key.key = key_of(syscall);
    snapshot.folded_rows = {{key, counted}};
    snapshot.folded_counts = {{kAccount, {kernel, besides_}}};
    verifier_.add(snapshot);
  }
  // A process with a running task.
  void add_running(const zc_account& record, const zc_row& counted,
                   const zc_kernel_counts& kernel) {
    Snapshot snapshot;
    snapshot.accounts = {record};
    snapshot.folded_counts = {{kAccount, {}}};
    TaskRecord task{};
    task.head.account = kAccount;
    task.head.counts = kernel;
    task.rows.emplace_back(key_of("read"), counted);
    snapshot.tasks = {task};
    verifier_.add(snapshot);
  }
  void add_at_rest(const zc_account& record, const zc_row& counted,
                   const zc_kernel_counts& kernel) {
    for (std::size_t i = 0; i < Verifier::kReadings; i++) add_running(record, counted, kernel);
  }
  CounterCheck check(KernelCounter counter) const {
    return verifier_.result().counters[index_of(counter)];
  }

  SyscallTable table_;
  zc_kernel_counts besides_{};
  Verifier verifier_{table_, std::nullopt};
};

TEST_F(VerifierTest, FindsAnEndedProcessEqual) {
  add_ended(account(1, 1), row(5, 700), reads(5, 700));
  const Verification result = verifier_.result();
  EXPECT_TRUE(result.equal());
  EXPECT_EQ(result.compared, 1u);
  EXPECT_EQ(check(KernelCounter::syscr).kernel, 5u);
  EXPECT_EQ(check(KernelCounter::syscr).counted, 5u);
  EXPECT_EQ(check(KernelCounter::syscr).margin, 0u);
}

TEST_F(VerifierTest, SaysWhichCounterDiffersAndWhere) {
  add_ended(account(1, 1), row(4, 700), reads(5, 700));
  const Verification result = verifier_.result();
  ASSERT_EQ(result.differences.size(), 1u);
  EXPECT_EQ(result.differences[0].pid, kPid);
  EXPECT_EQ(result.differences[0].counter, KernelCounter::syscr);
  EXPECT_EQ(result.differences[0].kernel, 5u);
  EXPECT_EQ(result.differences[0].counted, 4u);
  EXPECT_EQ(check(KernelCounter::syscr).difference, 1u);
}

TEST_F(VerifierTest, TreatsMoreCallsThanTheKernelsAsADifference) {
  add_ended(account(1, 1), row(6, 700), reads(5, 700));
  EXPECT_EQ(check(KernelCounter::syscr).difference, 1u);
}

TEST_F(VerifierTest, TakesTheValueOfTheRangeNearestToTheKernels) {
  add_ended(account(1, 1), row(6, 700, 2), reads(5, 700));
  EXPECT_TRUE(verifier_.result().equal());
  EXPECT_EQ(check(KernelCounter::syscr).counted, 5u);
  EXPECT_EQ(check(KernelCounter::syscr).margin, 2u);
}

TEST_F(VerifierTest, TakesACopyThatIsCountedTwiceForOneOnOverlayfs) {
  zc_kernel_counts kernel = reads(4, 200);
  kernel.syscw = 4;
  kernel.wchar = 200;
  add_ended(account(1, 1), row(2, 100), kernel, "copy_file_range");
  EXPECT_TRUE(verifier_.result().equal());
  EXPECT_EQ(check(KernelCounter::rchar).margin, 100u);
}

TEST_F(VerifierTest, NeedsNoMarginForACopyThatIsThereOnce) {
  zc_kernel_counts kernel = reads(1, 100);
  kernel.syscw = 1;
  kernel.wchar = 100;
  add_ended(account(1, 1), row(2, 100), kernel, "copy_file_range");
  EXPECT_TRUE(verifier_.result().equal());
  EXPECT_EQ(check(KernelCounter::rchar).margin, 0u);
}

TEST_F(VerifierTest, LeavesCompatBytesOpen) {
  zc_account record = account(1, 1);
  record.compat_calls = 1;
  add_ended(record, row(1, 10), reads(2, 500));
  EXPECT_TRUE(verifier_.result().equal());
  EXPECT_EQ(check(KernelCounter::rchar).margin, std::nullopt);
}

TEST_F(VerifierTest, DoesNotCompareAProcessThatDumpedCore) {
  zc_account record = account(1, 1);
  record.exit_code = 0x80 | 11;
  add_ended(record, row(1, 10), reads(9, 9));
  EXPECT_EQ(verifier_.result().compared, 0u);
  EXPECT_EQ(verifier_.result().not_compared.at("dumped_core"), 1u);
}

TEST_F(VerifierTest, DoesNotCompareAProcessWithoutSpaceForItsKernelCounts) {
  Snapshot snapshot;
  snapshot.accounts = {account(1, 1)};
  verifier_.add(snapshot);
  EXPECT_EQ(verifier_.result().not_compared.at("no_room"), 1u);
}

TEST_F(VerifierTest, ComparesARunningProcessAtRest) {
  add_at_rest(account(1, 0), row(5, 700), reads(5, 700));
  EXPECT_TRUE(verifier_.settled());
  EXPECT_TRUE(verifier_.result().equal());
  EXPECT_EQ(verifier_.result().compared, 1u);
}

TEST_F(VerifierTest, FindsALossOfARunningProcessAtRest) {
  add_at_rest(account(1, 0), row(4, 700), reads(5, 700));
  EXPECT_EQ(check(KernelCounter::syscr).difference, 1u);
}

TEST_F(VerifierTest, DoesNotCompareAProcessWhoseTasksComeAndGo) {
  for (std::uint32_t i = 0; i < Verifier::kReadings; i++)
    add_running(account(2 + i, i), row(5, 700), reads(5, 700));
  EXPECT_FALSE(verifier_.settled());
  EXPECT_EQ(verifier_.result().not_compared.at("changed_while_read"), 1u);
}

TEST_F(VerifierTest, LeavesOutAnAccountWithoutTasks) {
  add_at_rest(account(0, 0), row(0, 0), reads(0, 0));
  const Verification result = verifier_.result();
  EXPECT_EQ(result.compared, 0u);
  for (const auto& [why, processes] : result.not_compared) EXPECT_EQ(processes, 0u) << why;
}

TEST_F(VerifierTest, BeginsWhileDescendantsComeAndGo) {
  verifier_.expect_begin(true);
  Snapshot snapshot;
  zc_account child = account(1, 0);
  child.id = kAccount + 1;
  snapshot.accounts = {attached(), child};
  for (std::uint32_t i = 0; i < Verifier::kReadings; i++) {
    snapshot.accounts.back().started = 2 + i;
    snapshot.accounts.back().dead = snapshot.accounts.back().folded = 1 + i;
    verifier_.add(snapshot);
    EXPECT_EQ(verifier_.may_begin(), i + 1 == Verifier::kReadings) << i;
  }
  EXPECT_FALSE(verifier_.settled());
}

TEST_F(VerifierTest, DoesNotBeginWhileThreadsOfAnAttachedProcessComeAndGo) {
  verifier_.expect_begin(true);
  for (std::uint32_t i = 0; i < Verifier::kReadings; i++)
    add_running(attached(2 + i, i), row(5, 700), reads(5, 700));
  EXPECT_FALSE(verifier_.may_begin());
}

// A mark has a first, a middle and a last reading; the kernel's counts are 10, 20 and 30.
TEST_F(VerifierTest, HoldsWhatABusyProcessDidBetweenTheReadings) {
  for (const std::uint64_t counted : {9u, 10u, 30u, 31u}) {
    verifier_ = Verifier(table_, std::nullopt);
    for (std::uint64_t reading = 1; reading <= Verifier::kReadings; reading++)
      add_running(account(1, 0), row(counted, 0), reads(10 * reading, 0));
    EXPECT_EQ(verifier_.result().equal(), counted >= 10 && counted <= 30) << counted;
  }
}

TEST_F(VerifierTest, ComparesAnAttachedProcessFromItsMarkOn) {
  // A call that the kernel had counted, but that had not returned, at attach.
  add_at_rest(attached(), row(1, 100), reads(0, 0));
  verifier_.begin();
  add_ended(attached(1, 1), row(6, 600), reads(5, 500));
  EXPECT_TRUE(verifier_.result().equal());
  EXPECT_EQ(check(KernelCounter::syscr).kernel, 5u);
}

TEST_F(VerifierTest, FindsALossAfterTheMark) {
  add_at_rest(attached(), row(1, 100), reads(0, 0));
  verifier_.begin();
  add_ended(attached(1, 1), row(5, 600), reads(5, 500));
  EXPECT_EQ(check(KernelCounter::syscr).difference, 1u);
}

TEST_F(VerifierTest, LeavesOutTheObserverItself) {
  Verifier verifier(SyscallTable("%io"), std::nullopt, attached().pid);
  Snapshot snapshot;
  snapshot.accounts.push_back(attached());
  verifier.add(snapshot);
  EXPECT_EQ(verifier.result().compared, 0u);
  EXPECT_EQ(verifier.result().not_compared.at("changed_while_read"), 0u);
}

TEST_F(VerifierTest, DoesNotCompareAProcessThatEndedBeforeItsMark) {
  verifier_.expect_begin(true);
  add_ended(attached(1, 1), row(1, 100), reads(5, 500));
  verifier_.begin();
  EXPECT_EQ(verifier_.result().not_compared.at("changed_while_read"), 1u);
}

TEST_F(VerifierTest, ComparesAForkedProcessFromItsStart) {
  add_at_rest(account(1, 0), row(1, 100), reads(2, 100));
  verifier_.begin();
  EXPECT_EQ(check(KernelCounter::syscr).difference, 1u);
}

TEST_F(VerifierTest, StillComparesSwitchesWhereIoCannotBe) {
  verifier_ = Verifier(table_, "because");
  zc_row waiting = row(1, 10);
  waiting.voluntary = 3;
  zc_kernel_counts kernel = reads(50, 500);
  kernel.voluntary = 4;
  add_ended(account(1, 1), waiting, kernel);
  ASSERT_EQ(verifier_.result().differences.size(), 1u);
  EXPECT_EQ(verifier_.result().differences[0].counter, KernelCounter::voluntary);
}

CounterValues waited_children(std::uint64_t syscr, std::uint64_t rchar) {
  CounterValues values{};
  values[index_of(KernelCounter::syscr)] = syscr;
  values[index_of(KernelCounter::rchar)] = rchar;
  return values;
}

TEST_F(VerifierTest, FindsADescendantThatWasNotObserved) {
  besides_ = reads(2, 50);
  add_ended(account(1, 1), row(5, 700), reads(5, 700));
  verifier_.add_waited_children(kPid, waited_children(7, 751));
  const Verification result = verifier_.result();
  ASSERT_EQ(result.differences.size(), 1u);
  EXPECT_TRUE(result.differences[0].with_descendants);
  EXPECT_EQ(result.differences[0].counter, KernelCounter::rchar);
  EXPECT_EQ(result.differences[0].kernel, 751u);
  EXPECT_EQ(result.differences[0].counted, 750u);
}

TEST_F(VerifierTest, AllowsForDescendantsThatWereNotWaitedFor) {
  add_ended(account(1, 1), row(5, 700), reads(5, 700));
  verifier_.add_waited_children(kPid, waited_children(1, 100));
  EXPECT_TRUE(verifier_.result().equal());
  ASSERT_TRUE(verifier_.result().waited_children);
}

TEST_F(VerifierTest, DoesNotCompareDescendantsWhileOneIsBetweenItsEndAndItsLastSwitch) {
  zc_account dying = account(1, 1);
  dying.dead = 0;
  add_running(dying, row(0, 0), reads(0, 0));
  verifier_.add_waited_children(kPid, waited_children(7, 751));
  EXPECT_TRUE(verifier_.result().equal());
  EXPECT_FALSE(verifier_.result().waited_children);
}

std::string words_of(const Verification& verification) {
  std::string words;
  for (const Fact& fact : verification_facts(verification)) {
    words += fact.label + ":";
    for (const std::string& item : fact.items) words += " " + item + ",";
    words.back() = '\n';
  }
  return words;
}

TEST_F(VerifierTest, HasATextSummary) {
  add_ended(account(1, 1), row(6, 700, 2), reads(5, 700));
  EXPECT_EQ(words_of(verifier_.result()),
            "verified: syscr, syscw, rchar, wchar, switches of 1 process equal the kernel's own, "
            "syscr within 2\n");
}

TEST_F(VerifierTest, ListsDifferencesByProcess) {
  add_ended(account(1, 1), row(4, 700), reads(5, 700));
  EXPECT_EQ(words_of(verifier_.result()),
            "verified: syscr, syscw, rchar, wchar, switches of 1 process compared\n"
            "NOT EQUAL: syscr of process 42: the kernel has 5 and zctrace 4\n");
}

// The kernel counts neither io_uring nor native AIO, so nothing differs.
TEST_F(VerifierTest, IsNotEqualWhenOperationsWereLost) {
  add_ended(account(1, 1), row(5, 700), reads(5, 700));
  Verification result = verifier_.result();
  result.lost_operations = 7;
  EXPECT_FALSE(result.equal());
  EXPECT_EQ(words_of(result),
            "verified: syscr, syscw, rchar, wchar, switches of 1 process compared\n"
            "NOT EQUAL: 7 operations of io_uring or native AIO are not counted\n");
}

TEST_F(VerifierTest, ListsWhatWasNotVerified) {
  verifier_ = Verifier(table_, "this kernel keeps no I/O counters");
  add_ended(account(1, 1), row(4, 700), reads(5, 700));
  EXPECT_EQ(words_of(verifier_.result()),
            "verified: switches of 1 process equal the kernel's own\n"
            "not verified: syscr, syscw, rchar, wchar: this kernel keeps no I/O counters\n");
}

}  // namespace
}  // namespace zctrace
