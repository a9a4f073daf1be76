// SPDX-License-Identifier: MIT
// Which directories can be mounted where.
#include <gtest/gtest.h>

#include "collector/fuse/mount/mount_point.h"
#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

TEST(PathContainment, ComparesWholeComponents) {
  EXPECT_TRUE(is_within("/a/b", "/a"));
  EXPECT_TRUE(is_within("/a", "/a"));
  EXPECT_TRUE(is_within("/a", "/"));
  EXPECT_FALSE(is_within("/ab", "/a"));
  EXPECT_FALSE(is_within("/a", "/a/b"));
  EXPECT_FALSE(is_within("/b/a", "/a"));
}

TEST(MountPoint, RefusesUnusableDirectories) {
  EXPECT_THROW(check_mount_point("/nonexistent", "/tmp"), Error);
  EXPECT_THROW(check_mount_point("/dev/null", "/tmp"), Error);
  EXPECT_THROW(check_mount_point("/usr", "/usr/bin"), Error);
  EXPECT_THROW(check_mount_point("/usr/bin", "/usr"), Error);
  EXPECT_THROW(check_mount_point("/usr/bin", "/usr/bin/../bin"), Error);
  EXPECT_THROW(check_mount_point("/usr/bin", "/etc"), Error);
}

}  // namespace
}  // namespace zctrace::fuse
