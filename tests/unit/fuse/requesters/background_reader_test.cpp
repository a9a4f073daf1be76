// SPDX-License-Identifier: MIT
// The order of jobs, and giving up on blocked ones.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "collector/fuse/requesters/background_reader.h"

namespace zctrace::fuse {
namespace {

TEST(BackgroundReader, RunsJobsInOrderAndReturnsWhenDone) {
  BackgroundReader aside;
  std::string order;
  aside.post([&order] { order += "a"; });
  aside.post([] { throw std::bad_alloc(); });
  EXPECT_TRUE(aside.run([&order] { order += "b"; }, std::chrono::hours(1)));
  EXPECT_EQ(order, "ab");
}

TEST(BackgroundReader, GivesUpABlockedJobAndRefusesOthersMeanwhile) {
  std::mutex held;
  std::string order;
  BackgroundReader aside;
  {
    const std::lock_guard lock(held);
    const auto wait = [&] {
      const std::lock_guard until_released(held);
      order += "late";
    };
    EXPECT_FALSE(aside.run(wait, std::chrono::milliseconds(1)));
    // However long it would wait.
    EXPECT_FALSE(aside.run([&order] { order += "never"; }, std::chrono::hours(1)));
  }
  aside.post([&order] { order += ", then"; });
  while (!aside.run([] {}, std::chrono::hours(1))) std::this_thread::yield();
  EXPECT_EQ(order, "late, then");
}

TEST(BackgroundReader, LeavesAJobThatDoesNotEnd) {
  const auto held = std::make_shared<std::mutex>();
  const auto ran = std::make_shared<std::promise<void>>();
  held->lock();
  {
    BackgroundReader aside(BackgroundReader::AtTheEnd::leave);
    const auto wait = [held, ran] {
      const std::lock_guard until_released(*held);
      ran->set_value();
    };
    EXPECT_FALSE(aside.run(wait, std::chrono::milliseconds(100)));
  }
  held->unlock();
  ran->get_future().wait();
}

}  // namespace
}  // namespace zctrace::fuse
