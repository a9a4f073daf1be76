// SPDX-License-Identifier: MIT
// Which names are passed on to the source, and what is opened in its mount.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "collector/fuse/filesystem/file_system.h"

namespace zctrace::fuse {
namespace {

TEST(PlainNames, AreSingleComponentsOtherThanDots) {
  EXPECT_TRUE(is_plain_name("name"));
  EXPECT_TRUE(is_plain_name("..."));
  EXPECT_TRUE(is_plain_name(".hidden"));
  for (const char* name : {"", ".", "..", "a/b", "/", "../x"}) EXPECT_FALSE(is_plain_name(name));
}

TEST(OpenInMount, DoesNotEnterAnotherMount) {
  const Descriptor root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  EXPECT_FALSE(open_in_mount_patiently(root.get(), "proc"));
  EXPECT_EQ(errno, EXDEV);
  EXPECT_FALSE(open_in_mount_patiently(root.get(), "zctrace-no-such-name"));
  EXPECT_EQ(errno, ENOENT);
}

TEST(OpenInMount, OpensALinkItself) {
  const Descriptor proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Descriptor self = open_in_mount_patiently(proc.get(), "self");
  struct stat status = {};
  ASSERT_EQ(::fstat(self.get(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
}

}  // namespace
}  // namespace zctrace::fuse
