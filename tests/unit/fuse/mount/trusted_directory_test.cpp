// SPDX-License-Identifier: MIT
// Which symbolic links a path to a source or mount point may contain.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "collector/fuse/mount/trusted_directory.h"
#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

class TrustedDirectory : public testing::Test {
 protected:
  TrustedDirectory() {
    char name[] = "/tmp/zctrace-trusted-XXXXXX";
    top_ = std::filesystem::canonical(::mkdtemp(name));
    std::filesystem::create_directories(top_ / "a/b");
  }
  ~TrustedDirectory() override { std::filesystem::remove_all(top_); }

  std::string opened(const std::string& path) {
    return current_path(open_trusted_directory(path, "source").get());
  }

  std::filesystem::path top_;
};

TEST_F(TrustedDirectory, PathsWithoutLinks) {
  EXPECT_EQ(opened("/"), "/");
  EXPECT_EQ(opened(top_.string() + "//a/./b/"), (top_ / "a/b").string());
  EXPECT_EQ(opened((top_ / "a/b/..").string()), (top_ / "a").string());
  EXPECT_EQ(opened("."), std::filesystem::current_path().string());
}

TEST_F(TrustedDirectory, OwnLinksAreFollowed) {
  std::filesystem::create_symlink("a/../a", top_ / "relative");
  std::filesystem::create_symlink(top_ / "relative", top_ / "absolute");
  EXPECT_EQ(opened((top_ / "absolute/b").string()), (top_ / "a/b").string());
}

TEST_F(TrustedDirectory, WhatIsNotADirectoryIsRefused) {
  std::filesystem::create_symlink("loop", top_ / "loop");
  EXPECT_THROW(opened(""), Error);
  EXPECT_THROW(opened((top_ / "none").string()), Error);
  EXPECT_THROW(opened((top_ / "loop").string()), Error);
  EXPECT_THROW(opened("/dev/null"), Error);
}

TEST_F(TrustedDirectory, RootFollowsNoLinkOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a link to another user";
  std::filesystem::create_symlink("a", top_ / "theirs");
  ASSERT_EQ(::lchown((top_ / "theirs").c_str(), 65534, 65534), 0);
  EXPECT_THROW(opened((top_ / "theirs").string()), Error);
  EXPECT_THROW(opened((top_ / "theirs/b").string()), Error);
  EXPECT_THROW(opened((top_ / "theirs/..").string()), Error);
  ::setenv("SUDO_UID", "65534", 1);
  ::setenv("SUDO_GID", "65534", 1);
  EXPECT_EQ(opened((top_ / "theirs/b").string()), (top_ / "a/b").string());
  ::unsetenv("SUDO_UID");
  ::unsetenv("SUDO_GID");
}

}  // namespace
}  // namespace zctrace::fuse
