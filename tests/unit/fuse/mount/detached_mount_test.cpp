// SPDX-License-Identifier: MIT
// The number of a FUSE connection.
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include "collector/fuse/mount/detached_mount.h"

namespace zctrace::fuse {
namespace {

TEST(ConnectionNumber, IsTheMinorNumberHoweverLarge) {
  for (const unsigned number : {40U, 255U, 256U, 301U, 70'000U})
    EXPECT_EQ(connection_number(makedev(0, number)), number);
}

}  // namespace
}  // namespace zctrace::fuse
