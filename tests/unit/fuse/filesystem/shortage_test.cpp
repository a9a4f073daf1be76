// SPDX-License-Identifier: MIT
// Users that are reported, requests that wait, and when waiting ends.
#include "collector/fuse/filesystem/shortage.h"

#include <gtest/gtest.h>

#include <thread>
#include <unordered_set>

namespace zctrace::fuse {
namespace {

constexpr auto kNever = [] { return false; };

TEST(Shortage, TellsEachUserOnce) {
  Shortage shortage;
  shortage.report(1000);
  shortage.report(1001);
  shortage.report(1000);
  EXPECT_TRUE(shortage.wait(kNever));
  EXPECT_EQ(shortage.take(), (std::unordered_set<uid_t>{1000, 1001}));
  EXPECT_TRUE(shortage.take().empty());
}

TEST(Shortage, WaitEndsByAReportAConditionOrStop) {
  Shortage shortage;
  EXPECT_TRUE(shortage.wait([] { return true; }));
  std::thread reporter([&shortage] { shortage.report(1000); });
  EXPECT_TRUE(shortage.wait(kNever));
  reporter.join();
  shortage.take();
  std::thread stopper([&shortage] { shortage.stop(); });
  EXPECT_FALSE(shortage.wait(kNever));
  stopper.join();
  shortage.pause(std::chrono::hours(24));
}

TEST(Shortage, OneRequestOfAUserWaits) {
  Shortage shortage;
  EXPECT_FALSE(shortage.begin_wait(1000, 0));
  EXPECT_TRUE(shortage.begin_wait(1000, 2));
  EXPECT_FALSE(shortage.begin_wait(1000, 2));
  EXPECT_TRUE(shortage.begin_wait(1001, 2));
  EXPECT_FALSE(shortage.begin_wait(1002, 2));
  shortage.end_wait(1000);
  EXPECT_TRUE(shortage.begin_wait(1002, 2));
}

}  // namespace
}  // namespace zctrace::fuse
