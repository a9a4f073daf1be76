// SPDX-License-Identifier: MIT
// Lookup counts are exact, inodes keep their keys, descriptors are closed.
#include "collector/fuse/filesystem/inode_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace zctrace::fuse {
namespace {

Descriptor some_descriptor() { return Descriptor(::open("/", O_PATH | O_CLOEXEC)); }

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

class InodeTableTest : public testing::Test {
 protected:
  InodePtr remember(ino_t number, const char* name = "name", dev_t device = 1) {
    return remember_below(InodeTable::kRootId, {device, number}, name);
  }
  InodePtr remember_below(std::uint64_t parent, const InodeKey& key, const char* name,
                          uid_t user = 1000) {
    return table.remember(some_descriptor(), key, {parent, name, 7}, user);
  }
  void rename(ino_t number, std::uint64_t parent, const char* name) {
    table.rename({1, number}, {parent, name, 8});
  }
  static std::string joined(const std::vector<CachedName>& found) {
    std::string names;
    for (const CachedName& name : found) names += (names.empty() ? "" : " ") + name.name;
    return names;
  }
  std::string oldest(std::size_t most = 1) { return joined(table.oldest_names(most)); }
  std::string oldest_of(uid_t user, std::size_t most = 9) {
    return joined(table.oldest_names_of(user, most));
  }
  DescriptorShares shares{1000};
  InodeTable table{some_descriptor(), {1, 2}, shares};
};

TEST_F(InodeTableTest, RootIsNeverForgotten) {
  ASSERT_TRUE(table.find(InodeTable::kRootId));
  table.forget(InodeTable::kRootId, 100);
  EXPECT_TRUE(table.find(InodeTable::kRootId));
}

TEST_F(InodeTableTest, SameFileIsOneInodeAndCountsEachLookup) {
  const InodePtr first = remember(10);
  EXPECT_EQ(remember(10, "hard link"), first);
  EXPECT_EQ(table.lookups(first->id), 2u);
  table.forget(first->id, 1);
  EXPECT_EQ(table.find(first->id), first);
  table.forget(first->id, 1);
  EXPECT_FALSE(table.find(first->id));
  EXPECT_EQ(table.lookups(first->id), 0u);
}

TEST_F(InodeTableTest, LookupOfTheRootReturnsTheRoot) {
  EXPECT_EQ(remember(2)->id, InodeTable::kRootId);
}

TEST_F(InodeTableTest, SameNumberOnAnotherDeviceIsAnotherInode) {
  EXPECT_NE(remember(10, "a", 1), remember(10, "a", 5));
  EXPECT_EQ(table.size(), 3u);
}

TEST_F(InodeTableTest, ForgottenInodeComesBackWithANewId) {
  const std::uint64_t id = remember(10)->id;
  table.forget(id, 1);
  EXPECT_NE(remember(10)->id, id);
}

TEST_F(InodeTableTest, ForgottenInodeInUseKeepsItsDescriptor) {
  InodePtr inode = remember(10);
  const int fd = inode->fd.get();
  table.forget(inode->id, 1);
  EXPECT_TRUE(is_open(fd));
  inode.reset();
  EXPECT_FALSE(is_open(fd));
}

TEST_F(InodeTableTest, SecondDescriptorOfAnInodeIsClosed) {
  remember(10);
  Descriptor second = some_descriptor();
  const int fd = second.get();
  table.remember(std::move(second), {1, 10}, {InodeTable::kRootId, "name", 7}, 1000);
  EXPECT_FALSE(is_open(fd));
}

TEST_F(InodeTableTest, ForgettingMoreLookupsThanThereAreForgets) {
  const InodePtr inode = remember(10);
  table.forget(inode->id, 100);
  EXPECT_FALSE(table.find(inode->id));
  table.forget(inode->id, 1);
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(InodeTableTest, OldestNamesRotateAndOmitForgottenAndOpenInodes) {
  const InodePtr first = remember(10, "first");
  const InodePtr open = remember(11, "open");
  const InodePtr third = remember(12, "third");
  open->handles++;
  table.forget(first->id, 1);
  const auto names = table.oldest_names(1);
  ASSERT_EQ(names.size(), 1u);
  EXPECT_EQ(names.front().name, "third");
  EXPECT_EQ(names.front().parent, InodeTable::kRootId);
  EXPECT_EQ(oldest(), "third");  // not forgotten, so it is returned again
  open->handles--;
  EXPECT_EQ(oldest(), "open");
}

TEST_F(InodeTableTest, NameIsTheLatestOne) {
  const InodePtr inode = remember(10, "first");
  remember(10, "hard link");
  EXPECT_EQ(oldest(), "hard link");
  const InodePtr directory = remember(11, "directory");
  rename(10, directory->id, "renamed");
  rename(999, directory->id, "unknown");
  EXPECT_EQ(table.oldest_names(1).front().parent, directory->id);
  EXPECT_EQ(oldest(), "renamed");
  EXPECT_EQ(inode->node, 8u);
}

TEST_F(InodeTableTest, DirectoriesComeAfterFilesAndOnlyWithoutChildren) {
  const InodePtr directory = remember_below(InodeTable::kRootId, {1, 10, 5}, "directory");
  const InodePtr child = remember_below(directory->id, {1, 11}, "child");
  const InodePtr other = remember_below(directory->id, {1, 12}, "other");
  EXPECT_EQ(oldest(3), "child other");
  table.forget(child->id, 1);
  EXPECT_EQ(oldest(3), "other");
  rename(12, InodeTable::kRootId, "elsewhere");
  EXPECT_EQ(oldest(1), "elsewhere");
  EXPECT_EQ(oldest(3), "elsewhere directory");
  directory->handles++;
  EXPECT_EQ(oldest(3), "elsewhere");
}

TEST_F(InodeTableTest, LookupMovesInodeAndDirectoryToTheEnd) {
  const InodePtr directory = remember_below(InodeTable::kRootId, {1, 10, 5}, "directory");
  remember_below(InodeTable::kRootId, {1, 14, 5}, "another");
  remember(11, "first");
  remember(12, "second");
  remember(11, "first");
  const InodePtr child = remember_below(directory->id, {1, 13}, "child");
  table.forget(child->id, 1);
  EXPECT_EQ(oldest(9), "second first another directory");
}

TEST_F(InodeTableTest, OldestNamesOfAUserAreThoseItLookedUpFirst) {
  const InodePtr directory = remember_below(InodeTable::kRootId, {1, 10, 5}, "directory", 1000);
  remember_below(InodeTable::kRootId, {1, 11}, "theirs", 1001);
  remember_below(InodeTable::kRootId, {1, 12}, "first", 1000);
  const InodePtr open = remember_below(InodeTable::kRootId, {1, 13}, "open", 1000);
  remember_below(InodeTable::kRootId, {1, 14}, "second", 1000);
  open->handles++;
  EXPECT_EQ(oldest_of(1000, 1), "first");
  EXPECT_EQ(oldest_of(1000, 1), "second");
  EXPECT_EQ(oldest_of(1000), "first second directory");
  EXPECT_EQ(oldest_of(1001), "theirs");
  EXPECT_EQ(oldest_of(1002), "");
  remember_below(InodeTable::kRootId, {1, 12}, "first", 1001);
  EXPECT_EQ(oldest_of(1000), "second first directory");
  EXPECT_EQ(oldest_of(1001), "theirs");
  // A child of another user keeps the directory.
  const InodePtr child = remember_below(directory->id, {1, 15}, "child", 1001);
  EXPECT_EQ(oldest_of(1000), "second first");
  rename(15, InodeTable::kRootId, "renamed");
  EXPECT_EQ(oldest_of(1000), "second first directory");
  EXPECT_EQ(oldest_of(1001), "theirs renamed");
  table.forget(child->id, 1);
  EXPECT_EQ(oldest_of(1001), "theirs");
}

TEST_F(InodeTableTest, OpenInodeCountsForAUserThatHasItOpen) {
  const InodePtr inode = remember_below(InodeTable::kRootId, {1, 10}, "file", 1000);
  const auto counts_for = [this](uid_t user) {
    return shares.larger_than(user).empty() && !shares.larger_than(1).empty();
  };
  EXPECT_TRUE(counts_for(1000));
  table.opened(*inode, 1001);
  EXPECT_TRUE(counts_for(1001));
  remember(10, "file");  // by user 1000
  EXPECT_TRUE(counts_for(1001));
  table.opened(*inode, 1002);
  table.opened(*inode, 1001);
  table.closed(*inode, 1001);
  EXPECT_TRUE(counts_for(1001));
  table.closed(*inode, 1001);
  EXPECT_TRUE(counts_for(1002));
  table.closed(*inode, 1002);
  EXPECT_TRUE(counts_for(1002));
  EXPECT_EQ(oldest_of(1002), "file");
  remember(10, "file");
  EXPECT_TRUE(counts_for(1002));
}

TEST_F(InodeTableTest, ManyOpenFilesAreSkippedInSeveralCalls) {
  std::vector<InodePtr> open;
  for (ino_t number = 10; number < 10 + 2 * InodeTable::kMostSkipped; number++) {
    open.push_back(remember(number));
    open.back()->handles++;
  }
  remember(9999, "idle");
  EXPECT_EQ(oldest_of(1000), "");
  EXPECT_EQ(oldest_of(1000), "");
  EXPECT_EQ(oldest_of(1000), "idle");
}

TEST_F(InodeTableTest, DirectoryThroughAnotherMountIsAnotherInode) {
  const InodePtr plain = remember_below(InodeTable::kRootId, {1, 10, 5}, "directory");
  EXPECT_NE(remember_below(InodeTable::kRootId, {1, 10, 6}, "directory"), plain);
  EXPECT_EQ(remember_below(InodeTable::kRootId, {1, 10, 5}, "directory"), plain);
  EXPECT_NE(remember_below(InodeTable::kRootId, {1, 2, 6}, "root")->id, InodeTable::kRootId);
}

}  // namespace
}  // namespace zctrace::fuse
