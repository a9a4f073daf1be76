// SPDX-License-Identifier: MIT
// Supplementary groups in the text of /proc/PID/status.
#include <gtest/gtest.h>

#include <vector>

#include "collector/fuse/filesystem/requester_identity.h"

namespace zctrace::fuse {
namespace {

TEST(ProcStatus, ReadsGroupsFromTheirLineOnly) {
  EXPECT_EQ(groups_in("Name:\tx\nFDSize:\t64\nGroups:\t4 24 100000 \nNStgid:\t7\n"),
            (std::vector<gid_t>{4, 24, 100000}));
  EXPECT_EQ(groups_in("Name:\tGroups:\t5\nGroups:\t\nNStgid:\t7\n"), std::vector<gid_t>());
  EXPECT_EQ(groups_in(""), std::vector<gid_t>());
}

}  // namespace
}  // namespace zctrace::fuse
