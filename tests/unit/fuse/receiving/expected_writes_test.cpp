// SPDX-License-Identifier: MIT
// What makes a write possible, when threads are recalled for it, and when it has become unlikely.
#include "collector/fuse/receiving/expected_writes.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace zctrace::fuse {
namespace {

class ExpectedWritesTest : public testing::Test {
 protected:
  ExpectedWritesTest() {
    writes_.set_recall([this] {
      EXPECT_TRUE(writes_.expected());
      recalls_++;
    });
  }

  // After this, writes are expected only if there is a reason.
  void become_calm() {
    for (std::size_t i = 0; i < ExpectedWrites::kCalm; ++i) writes_.received();
  }

  ExpectedWrites writes_;
  int recalls_ = 0;
};

TEST_F(ExpectedWritesTest, ReadersAndWritersAloneExpectNone) {
  WriteAccess reader;
  reader.begin(writes_, O_RDONLY, true);
  WriteAccess writer;
  writer.begin(writes_, O_WRONLY | O_APPEND, false);
  EXPECT_FALSE(writes_.expected());
  EXPECT_EQ(recalls_, 0);
}

TEST_F(ExpectedWritesTest, AnAnnouncementCountsWhileAFileIsOpenForWriting) {
  writes_.announced();
  EXPECT_FALSE(writes_.expected());
  {
    WriteAccess writer;
    writer.begin(writes_, O_WRONLY, false);
    for (int i = 0; i < 3; ++i) writes_.announced();
    become_calm();
    EXPECT_TRUE(writes_.expected());
  }
  EXPECT_TRUE(writes_.expected());
  become_calm();
  EXPECT_FALSE(writes_.expected());
  EXPECT_EQ(recalls_, 1);
}

TEST_F(ExpectedWritesTest, MappingsAndDirectWritesComeUnannounced) {
  for (const bool direct : {false, true}) {
    {
      WriteAccess access;
      access.begin(writes_, direct ? O_WRONLY : O_RDWR, direct);
      EXPECT_TRUE(writes_.expected());
      become_calm();
      EXPECT_TRUE(writes_.expected());
    }
    become_calm();
    EXPECT_FALSE(writes_.expected());
  }
  EXPECT_EQ(recalls_, 2);
}

TEST_F(ExpectedWritesTest, TheNextFileOfAnArchiveNeedsNoRecall) {
  for (int file = 0; file < 3; ++file) {
    WriteAccess writer;
    writer.begin(writes_, O_WRONLY, false);
    writes_.announced();
    for (std::size_t i = 1; i < ExpectedWrites::kCalm; ++i) writes_.received();
  }
  EXPECT_EQ(recalls_, 1);
}

TEST_F(ExpectedWritesTest, FilesThatNothingIsWrittenToDoNotProlongIt) {
  {
    WriteAccess writer;
    writer.begin(writes_, O_RDWR, false);
  }
  for (std::size_t i = 0; i < ExpectedWrites::kCalm; ++i) {
    WriteAccess writer;
    writer.begin(writes_, O_WRONLY, false);
    writes_.received();
  }
  EXPECT_FALSE(writes_.expected());
}

TEST(ExpectedWrites, CountsNothingWithoutARecall) {
  ExpectedWrites writes;
  WriteAccess access;
  access.begin(writes, O_RDWR, true);
  writes.announced();
  EXPECT_FALSE(writes.expected());
}

}  // namespace
}  // namespace zctrace::fuse
