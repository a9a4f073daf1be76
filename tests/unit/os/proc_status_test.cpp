// SPDX-License-Identifier: MIT
#include "collector/os/proc_status.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

constexpr const char* kStatus =
    "Name:\tUid: 7\n"
    "Tgid:\t  42\n"
    "Uid:\t0\t1\t2\t3\n"
    "Empty:\n"
    "Groups:\t \n"
    "Last:\t5";

TEST(StatusField, IsTheTextOfItsLine) {
  EXPECT_EQ(status_field(kStatus, "Tgid"), "42");
  EXPECT_EQ(status_field(kStatus, "Uid"), "0\t1\t2\t3");
  EXPECT_EQ(status_field(kStatus, "Last"), "5");
}

TEST(StatusField, IsNotFoundInTheNameOfAProcess) {
  EXPECT_EQ(status_field(kStatus, "Name"), "Uid: 7");
  EXPECT_EQ(status_field("Name:\tUid:\t9\n", "Uid"), "");
}

TEST(StatusField, IsEmptyIfThereIsNone) {
  EXPECT_EQ(status_field(kStatus, "Empty"), "");
  EXPECT_EQ(status_field(kStatus, "Groups"), "");
  EXPECT_EQ(status_field(kStatus, "Tg"), "");
  EXPECT_EQ(status_field(kStatus, "gid"), "");
  EXPECT_EQ(status_field("", "Tgid"), "");
}

}  // namespace
}  // namespace zctrace
