// SPDX-License-Identifier: MIT
// Which file systems below the source are hidden.
#include "collector/fuse/filesystem/submounts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace zctrace::fuse {
namespace {

MountEntry mount(const std::string& type, const std::string& options = "rw") {
  return {"1", "0:1", "/there", type, options};
}

TEST(Submounts, HideFuseOfOtherUsers) {
  const uid_t own = ::geteuid();
  for (const bool for_everyone : {false, true}) {
    const Submounts submounts(for_everyone);
    for (const std::string type : {"fuse", "fuse.sshfs", "fuseblk", "fuseblk.ntfs"}) {
      EXPECT_TRUE(submounts.hides(mount(type, "rw,user_id=54321,group_id=0,allow_other")));
      EXPECT_TRUE(submounts.hides(mount(type, "user_id=54321")));
      EXPECT_FALSE(submounts.hides(mount(type, "rw,user_id=0,group_id=54321")));
      EXPECT_FALSE(submounts.hides(mount(type, "rw,user_id=" + std::to_string(own))));
      EXPECT_TRUE(submounts.hides(mount(type, "rw,group_id=0")));
      EXPECT_TRUE(submounts.hides(mount(type, "rw,user_id=,group_id=0")));
    }
    for (const std::string type : {"ext4", "virtiofs", "tmpfs", "nfs4"})
      EXPECT_FALSE(submounts.hides(mount(type, "rw,user_id=54321")));
    for (const std::string type : {"proc", "fusectl"})
      EXPECT_EQ(submounts.hides(mount(type, "rw,user_id=54321")), for_everyone);
  }
}

TEST(Submounts, FindAMountByItsId) {
  Submounts submounts(false);
  struct statx root = {};
  ASSERT_EQ(::statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &root), 0);
  EXPECT_EQ(submounts.may_show(root.stx_mnt_id), 0);
  EXPECT_EQ(submounts.may_show(root.stx_mnt_id), 0);
  EXPECT_EQ(submounts.may_show(~0ULL), ESTALE);
}

}  // namespace
}  // namespace zctrace::fuse
