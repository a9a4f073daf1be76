// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/code_map.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace zctrace {
namespace {

constexpr const char* kMaps =
    "55d0c0a00000-55d0c0a02000 r--p 00000000 08:01 1311       /usr/bin/cat\n"
    "55d0c0a02000-55d0c0a06000 r-xp 00002000 08:01 1311       /usr/bin/cat\n"
    "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
    "7f0000002000-7f0000003000 r-xp 0001f000 fe:02 99         /tmp/a b (deleted)\n"
    "7ffd1000-7ffd3000 r-xp 00000000 00:00 0                  [vdso]\n";

TEST(CodeMap, ListsOnlyWhatCanBeExecuted) {
  const auto mappings = code_mappings(kMaps, 100);
  ASSERT_EQ(mappings.size(), 4u);
  EXPECT_EQ(mappings[0].begin, 0x55d0c0a02000u);
  EXPECT_EQ(mappings[0].end, 0x55d0c0a06000u);
  EXPECT_EQ(mappings[0].offset, 0x2000u);
  EXPECT_EQ(mappings[0].device, makedev(8, 1));
  EXPECT_EQ(mappings[0].inode, 1311u);
  EXPECT_EQ(mappings[0].path, "/usr/bin/cat");
  EXPECT_EQ(mappings[1].path, "");
  EXPECT_EQ(mappings[2].path, "/tmp/a b (deleted)");
  EXPECT_EQ(mappings[3].path, "[vdso]");
}

TEST(CodeMap, ListsAtMostSoMany) { EXPECT_EQ(code_mappings(kMaps, 2).size(), 2u); }

TEST(CodeMap, SkipsLinesThatAreNone) {
  EXPECT_TRUE(code_mappings("", 9).empty());
  EXPECT_TRUE(code_mappings("55d0-\n55d0-55d1\n55d0-55d1 r-xp\nx-y r-xp 0 0:0 0\n", 9).empty());
  EXPECT_TRUE(code_mappings("55d0-55d1 r-xp 00000000 08:01", 9).empty());
}

TEST(CodeMap, FindsTheMappingOfAnAddress) {
  const auto mappings = code_mappings(kMaps, 3);
  EXPECT_EQ(mapping_at(mappings, 0x55d0c0a01fff), nullptr);
  EXPECT_EQ(mapping_at(mappings, 0x55d0c0a02000), &mappings[0]);
  EXPECT_EQ(mapping_at(mappings, 0x55d0c0a05fff), &mappings[0]);
  EXPECT_EQ(mapping_at(mappings, 0x55d0c0a06000), nullptr);
  EXPECT_EQ(mapping_at(mappings, 0), nullptr);
  EXPECT_EQ(mapping_at({}, 1), nullptr);
}

// A file that this process maps; removed at the end.
class OpenMapped : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/zctrace-code-map-XXXXXX";
    const Descriptor file(::mkstemp(name));
    path_ = name;
    ASSERT_EQ(::write(file.get(), "content", 7), 7);
    struct stat status = {};
    ASSERT_EQ(::fstat(file.get(), &status), 0);
    memory_ = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file.get(), 0);
    ASSERT_NE(memory_, MAP_FAILED);
    mapping_.begin = reinterpret_cast<std::uint64_t>(memory_);
    mapping_.end = mapping_.begin + 4096;
    mapping_.inode = status.st_ino;
    mapping_.path = name;
  }
  void TearDown() override {
    ::munmap(memory_, 4096);
    ::unlink(path_.c_str());
  }
  static std::string content(const Descriptor& file) {
    char text[16] = "";
    return ::read(file.get(), text, sizeof(text) - 1) >= 0 ? text : "unreadable";
  }

  std::string path_;
  void* memory_ = MAP_FAILED;
  CodeMapping mapping_;
};

TEST_F(OpenMapped, IsOpened) { EXPECT_EQ(content(open_mapped(::getpid(), mapping_)), "content"); }

TEST_F(OpenMapped, IsOpenedAfterAnotherFileTookItsPlace) {
  ::unlink(path_.c_str());
  std::ofstream(path_) << "another";
  const Descriptor file = open_mapped(::getpid(), mapping_);
  // Without the right to follow map_files there is none, and never the other file.
  EXPECT_TRUE(!file || content(file) == "content");
  EXPECT_TRUE(file || ::geteuid() != 0);
}

TEST_F(OpenMapped, IsNotOpenedThroughAPathToAnotherFile) {
  mapping_.begin += 4096;  // no such mapping: only the path is left
  mapping_.end += 4096;
  EXPECT_TRUE(static_cast<bool>(open_mapped(::getpid(), mapping_)));
  mapping_.inode++;
  EXPECT_FALSE(static_cast<bool>(open_mapped(::getpid(), mapping_)));
}

TEST(CodeMap, OpensNoFifo) {
  char directory[] = "/tmp/zctrace-code-map-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  struct stat status = {};
  ::stat(path.c_str(), &status);
  // To open it would wait for ever.
  EXPECT_FALSE(static_cast<bool>(
      open_mapped(::getpid(), {4096, 8192, 0, status.st_dev, status.st_ino, path})));
  ::unlink(path.c_str());
  ::rmdir(directory);
}

}  // namespace
}  // namespace zctrace
