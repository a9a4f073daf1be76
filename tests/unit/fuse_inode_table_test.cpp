// Lookup counts are exact, identities are kept, descriptors are closed.
#include "collector/fuse/inode_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace zctrace::fuse {
namespace {

struct stat status_of(dev_t device, ino_t number, mode_t type = S_IFREG) {
  struct stat status = {};
  status.st_dev = device;
  status.st_ino = number;
  status.st_mode = type | 0644;
  return status;
}

Descriptor some_descriptor() { return Descriptor(::open("/", O_PATH | O_CLOEXEC)); }

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

class InodeTableTest : public testing::Test {
 protected:
  InodePtr remember(ino_t number, const char* name = "name", dev_t device = 1) {
    return table.remember(some_descriptor(), status_of(device, number), 7, InodeTable::kRootId,
                          name);
  }
  InodeTable table{some_descriptor(), status_of(1, 2, S_IFDIR)};
};

TEST_F(InodeTableTest, TheRootIsThereForEver) {
  ASSERT_TRUE(table.find(InodeTable::kRootId));
  table.forget(InodeTable::kRootId, 100);
  EXPECT_TRUE(table.find(InodeTable::kRootId));
}

TEST_F(InodeTableTest, TheSameFileIsOneInodeAndCountsEachLookup) {
  const InodePtr first = remember(10);
  EXPECT_EQ(remember(10, "hard link"), first);
  EXPECT_EQ(table.lookups(first->id), 2u);
  table.forget(first->id, 1);
  EXPECT_EQ(table.find(first->id), first);
  table.forget(first->id, 1);
  EXPECT_FALSE(table.find(first->id));
  EXPECT_EQ(table.lookups(first->id), 0u);
}

TEST_F(InodeTableTest, LookingUpTheRootAgainIsTheRoot) {
  EXPECT_EQ(remember(2)->id, InodeTable::kRootId);
}

TEST_F(InodeTableTest, SameNumberOnAnotherDeviceIsAnotherInode) {
  EXPECT_NE(remember(10, "a", 1), remember(10, "a", 5));
  EXPECT_EQ(table.size(), 3u);
}

TEST_F(InodeTableTest, AForgottenInodeIsNewWithANewId) {
  const std::uint64_t id = remember(10)->id;
  table.forget(id, 1);
  EXPECT_NE(remember(10)->id, id);
}

TEST_F(InodeTableTest, WhoeverUsesAForgottenInodeKeepsItsDescriptor) {
  InodePtr inode = remember(10);
  const int fd = inode->fd.get();
  table.forget(inode->id, 1);
  EXPECT_TRUE(is_open(fd));
  inode.reset();
  EXPECT_FALSE(is_open(fd));
}

TEST_F(InodeTableTest, ASecondDescriptorOfAKnownInodeIsClosed) {
  remember(10);
  Descriptor second = some_descriptor();
  const int fd = second.get();
  table.remember(std::move(second), status_of(1, 10), 7, InodeTable::kRootId, "name");
  EXPECT_FALSE(is_open(fd));
}

TEST_F(InodeTableTest, ForgettingMoreThanWasLookedUpForgets) {
  const InodePtr inode = remember(10);
  table.forget(inode->id, 100);
  EXPECT_FALSE(table.find(inode->id));
  table.forget(inode->id, 1);
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(InodeTableTest, OldestNamesTakeTurnsWithoutTheForgottenAndTheOpen) {
  const InodePtr first = remember(10, "first");
  const InodePtr open = remember(11, "open");
  const InodePtr third = remember(12, "third");
  open->handles++;
  table.forget(first->id, 1);
  auto name = table.oldest_name();
  ASSERT_TRUE(name);
  EXPECT_EQ(name->name, "third");
  EXPECT_EQ(name->parent, InodeTable::kRootId);
  EXPECT_EQ(table.oldest_name()->name, "third");  // still known, so it is its turn again
  open->handles--;
  name = table.oldest_name();
  ASSERT_TRUE(name);
  EXPECT_EQ(name->name, "open");
}

TEST_F(InodeTableTest, DirectoriesAreNeverProposed) {
  table.remember(some_descriptor(), status_of(1, 10, S_IFDIR), 7, InodeTable::kRootId, "directory");
  EXPECT_FALSE(table.oldest_name());
}

}  // namespace
}  // namespace zctrace::fuse
