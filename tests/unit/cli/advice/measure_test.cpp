// SPDX-License-Identifier: MIT
// Measures real transfers; asserts no time.
#include "cli/advice/measure.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

#include "collector/os/pipe.h"

namespace zctrace {
namespace {

using namespace std::chrono_literals;

const MethodPair kToUnix = {"tmpfs", "unix", "read_write", "sendfile", 65536, 65536};

TEST(Measure, FindsWhatBothMethodsOfAPairCost) {
  const Measurement measured = measure({kToUnix}, 60s, -1);
  EXPECT_FALSE(measured.failed) << *measured.failed;
  ASSERT_EQ(measured.basis.size(), 2u);
  EXPECT_EQ(measured.basis[0].method, "read_write");
  EXPECT_EQ(measured.basis[1].method, "sendfile");
  for (const MethodCost& cost : measured.basis) {
    EXPECT_EQ(cost.source, "tmpfs");
    EXPECT_EQ(cost.sink, "unix");
    EXPECT_EQ(cost.buffer_bytes, 65536u);
    EXPECT_GT(cost.cpu_ns_per_byte, 0);
  }
}

TEST(Measure, EndsWhenTheTimeIsUp) {
  const Measurement measured = measure({kToUnix}, 1ns, -1);
  EXPECT_FALSE(measured.failed);
  EXPECT_TRUE(measured.basis.empty());
}

TEST(Measure, EndsWhenItIsAskedTo) {
  Pipe stop = make_pipe();
  ASSERT_EQ(::write(stop.writer.get(), "x", 1), 1);
  const Measurement measured = measure({kToUnix}, 60s, stop.reader.get());
  EXPECT_FALSE(measured.failed);
  EXPECT_TRUE(measured.basis.empty());
}

TEST(Measure, GoesOnWithTheOthersWhenOnePairFails) {
  // Not a legal sink of copy_file_range.
  const MethodPair illegal = {"tmpfs", "unix", "read_write", "copy_file_range", 65536, 65536};
  const Measurement measured = measure({illegal, kToUnix}, 60s, -1);
  ASSERT_TRUE(measured.failed);
  EXPECT_NE(measured.failed->find("cannot measure read_write and copy_file_range from tmpfs to "
                                  "unix: EINVAL"),
            std::string::npos)
      << *measured.failed;
  EXPECT_EQ(measured.basis.size(), 2u);
}

}  // namespace
}  // namespace zctrace
