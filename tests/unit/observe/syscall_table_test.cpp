// SPDX-License-Identifier: MIT
// Which row each call counts in.
#include "collector/observe/syscall_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace zctrace {
namespace {

TEST(SyscallTable, CountsEveryDataCallWhateverIsSelected) {
  const SyscallTable table("openat");
  for (const char* name : {"read", "sendfile", "io_uring:read", "ioctl:FICLONE", "vmsplice"}) {
    const auto& rows = table.rows();
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [name](const RowMeaning& row) { return row.name == name; });
    ASSERT_NE(found, rows.end()) << name;
    EXPECT_FALSE(found->shown) << name;
  }
}

TEST(SyscallTable, CountsCallsThatWaitInARowOfTheirOwn) {
  const SyscallTable table;
  const auto waits = [](const SyscallTable& of) {
    return std::count_if(of.calls().begin(), of.calls().end(), [&of](const zc_call& call) {
      return of.rows().at(call.row).name == "wait";
    });
  };
  EXPECT_GT(waits(table), 10);
  EXPECT_EQ(waits(SyscallTable("%all")), 0);  // each by its own name
  EXPECT_EQ(waits(SyscallTable("%io,futex")), waits(table) - 1);
}

}  // namespace
}  // namespace zctrace
