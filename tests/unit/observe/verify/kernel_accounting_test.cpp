// SPDX-License-Identifier: MIT
// What the rows say that the kernel's own counters must be.
#include "collector/observe/verify/kernel_accounting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "collector/observe/syscall_table.h"
#include "tests/unit/observe/verify/counted_rows.h"

namespace zctrace {
namespace {

TEST(KernelAccounting, KnowsWhichCallsAddToWhat) {
  EXPECT_EQ(accounting_of("preadv2"), Accounting::reads);
  EXPECT_EQ(accounting_of("pwritev2"), Accounting::writes);
  EXPECT_EQ(accounting_of("sendfile"), Accounting::moves);
  EXPECT_EQ(accounting_of("copy_file_range"), Accounting::copies);
  for (const char* name : {"splice", "tee", "vmsplice", "sendto", "recvmsg", "io_uring:read",
                           "ioctl:FICLONE", "mmap", "other"})
    EXPECT_EQ(accounting_of(name), Accounting::none) << name;
}

TEST(KernelAccounting, EveryAccountedCallHasARowWhateverIsSelected) {
  for (const char* selection : {"%io", "%all", "%copy", "%zerocopy", "openat"}) {
    const SyscallTable table(selection);
    const auto has_row = [&table](const char* name) {
      return std::any_of(table.rows().begin(), table.rows().end(),
                         [name](const RowMeaning& row) { return row.name == name; });
    };
    for (const char* name : {"read", "preadv2", "write", "pwritev2", "sendfile", "copy_file_range"})
      EXPECT_TRUE(has_row(name)) << selection << ": " << name;
  }
}

class Expected : public ::testing::Test {
 protected:
  void expect(KernelCounter counter, std::uint64_t low, std::uint64_t high) const {
    EXPECT_EQ(expected_.low[index_of(counter)], low);
    EXPECT_EQ(expected_.high[index_of(counter)], high);
  }
  ExpectedCounters expected_;
};

TEST_F(Expected, OfReadsAndWritesIsExact) {
  expected_.add_row(Accounting::reads, row(5, 700));
  expected_.add_row(Accounting::writes, row(3, 50));
  expect(KernelCounter::syscr, 5, 5);
  expect(KernelCounter::rchar, 700, 700);
  expect(KernelCounter::syscw, 3, 3);
  expect(KernelCounter::wchar, 50, 50);
}

TEST_F(Expected, OfSendfileIsBothSides) {
  expected_.add_row(Accounting::moves, row(2, 900));
  expect(KernelCounter::syscr, 2, 2);
  expect(KernelCounter::syscw, 2, 2);
  expect(KernelCounter::rchar, 900, 900);
  expect(KernelCounter::wchar, 900, 900);
}

TEST_F(Expected, IsOpenByEachCallThatFailed) {
  expected_.add_row(Accounting::reads, row(5, 700, 2));
  expect(KernelCounter::syscr, 3, 5);
  expect(KernelCounter::rchar, 700, 700);
}

TEST_F(Expected, AllowsCopiesOfNothingAndCopiesOnOverlayfs) {
  expected_.add_row(Accounting::copies, row(2, 100));
  expect(KernelCounter::syscr, 0, 2);
  expect(KernelCounter::wchar, 100, 100);
  EXPECT_EQ(expected_.again[index_of(KernelCounter::syscr)], 2u);
  EXPECT_EQ(expected_.again[index_of(KernelCounter::wchar)], 100u);
}

TEST_F(Expected, IsOpenUpwardsForCompatCalls) {
  expected_.add_row(Accounting::reads, row(1, 10));
  expected_.add_compat_calls(3);
  expect(KernelCounter::syscr, 1, 4);
  expect(KernelCounter::rchar, 10, ExpectedCounters::kOpen);
  expected_.add_row(Accounting::reads, row(1, 10));
  expect(KernelCounter::rchar, 20, ExpectedCounters::kOpen);
}

TEST_F(Expected, CountsSwitchesOfEveryRow) {
  zc_row waiting = row(1, 0);
  waiting.voluntary = 4;
  waiting.involuntary = 2;
  expected_.add_row(Accounting::none, waiting);
  expect(KernelCounter::voluntary, 4, 4);
  expect(KernelCounter::involuntary, 2, 2);
}

}  // namespace
}  // namespace zctrace
