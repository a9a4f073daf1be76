// SPDX-License-Identifier: MIT
// Which directories can be mounted where.
#include <gtest/gtest.h>

#include <string>

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

TEST(MountPoint, AnErrorSaysWhatCouldNotBeOpened) {
  const auto error_of = [](const std::string& source, const std::string& target) -> std::string {
    try {
      check_mount_point(source, target);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of("/nonexistent", "/tmp"),
            "cannot open source '/nonexistent': No such file or directory");
  EXPECT_EQ(error_of("/tmp", "/nonexistent"),
            "cannot open mount point '/nonexistent': No such file or directory");
  EXPECT_EQ(error_of("/dev/null", "/tmp"), "source '/dev/null' is not a directory");
}

}  // namespace
}  // namespace zctrace::fuse
