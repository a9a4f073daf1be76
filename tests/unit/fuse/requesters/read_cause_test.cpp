// SPDX-License-Identifier: MIT
// A task's state from the text of /proc/TID/syscall.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <string>

#include "collector/fuse/requesters/read_cause.h"

namespace zctrace::fuse {
namespace {

TEST(TaskState, FromProcSyscall) {
  const auto line = [](long number) {
    return std::to_string(number) + " 0x3 0x7f 0x0 0x0 0x0 0x0 0x1 0x2\n";
  };
  EXPECT_EQ(state_in("-1 0x7ffd 0x55aa\n"), TaskState::faulting);
  EXPECT_EQ(state_in(line(SYS_read)), TaskState::reading);
  EXPECT_EQ(state_in(line(SYS_sendfile)), TaskState::reading);
  EXPECT_EQ(state_in(line(SYS_madvise)), TaskState::mapping);
  EXPECT_EQ(state_in(line(SYS_write)), TaskState::elsewhere);
  EXPECT_EQ(state_of(-1), TaskState::faulting);
  EXPECT_EQ(state_of(SYS_pread64), TaskState::reading);
  EXPECT_EQ(state_of(SYS_mlock), TaskState::mapping);
  EXPECT_EQ(state_of(SYS_write), TaskState::elsewhere);
  EXPECT_EQ(state_in("running\n"), TaskState::elsewhere);
  EXPECT_EQ(state_in("-01 0x7ffd 0x55aa\n"), TaskState::elsewhere);
  EXPECT_EQ(state_in(""), TaskState::elsewhere);
  EXPECT_EQ(state_in("0"), TaskState::elsewhere);
}

}  // namespace
}  // namespace zctrace::fuse
