// SPDX-License-Identifier: MIT
// Pending signals in the text of /proc/TID/status, and of a real process.
#include "collector/fuse/requesters/pending_signal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>

#include "collector/os/child.h"
#include "collector/os/descriptor.h"
#include "collector/os/pipe.h"

namespace zctrace::fuse {
namespace {

using std::chrono::steady_clock;

constexpr const char* kNone = "0000000000000000";

std::string status(const char* of_thread, const char* of_process, const char* blocked,
                   const char* threads = "1") {
  return std::string("Name:\tSigPnd:\nThreads:\t") + threads + "\nSigQ:\t1/7\nSigPnd:\t" +
         of_thread + "\nShdPnd:\t" + of_process + "\nSigBlk:\t" + blocked +
         "\nSigIgn:\t0000000000000001\n";
}

TEST(PendingSignal, IsForTheThreadOrForAProcessThatHasNoOther) {
  EXPECT_FALSE(has_pending_signal(status(kNone, kNone, kNone)));
  EXPECT_TRUE(has_pending_signal(status("0000000000000100", kNone, kNone)));
  EXPECT_TRUE(has_pending_signal(status("0000000000000100", kNone, kNone, "2")));
  EXPECT_TRUE(has_pending_signal(status(kNone, "8000000000000000", kNone)));
  EXPECT_FALSE(has_pending_signal(status(kNone, "8000000000000000", kNone, "2")));
  EXPECT_FALSE(has_pending_signal(status(kNone, "8000000000000000", kNone, "11")));
}

TEST(PendingSignal, DoesNotCountWhileItIsBlocked) {
  EXPECT_FALSE(
      has_pending_signal(status("0000000000000100", "8000000000000200", "8000000000000300")));
  EXPECT_TRUE(
      has_pending_signal(status("0000000000000100", "8000000000000200", "8000000000000100")));
}

TEST(PendingSignal, IsNoneInATextWithoutMasks) {
  EXPECT_FALSE(has_pending_signal(""));
  EXPECT_FALSE(has_pending_signal("Threads:\t1\nSigPnd:\t\nShdPnd:\tx\n"));
}

// A stopped process, so that what is sent to it stays pending.
class Watched : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(proc_);
    ::kill(child_.pid(), SIGSTOP);
    siginfo_t info;
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child_.pid()), &info, WSTOPPED | WNOWAIT), 0);
  }

  Descriptor proc_{::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  Child child_{ChildOptions{.dies_with_parent = true}, [] { ::pause(); }};
  SignalWatch watch_{proc_.get(), child_.pid()};
  const steady_clock::time_point start_ = steady_clock::now();
};

TEST_F(Watched, IsLookedAtNowAndThen) {
  EXPECT_FALSE(watch_.interrupted(start_));
  ::kill(child_.pid(), SIGUSR1);
  EXPECT_FALSE(watch_.interrupted(start_ + SignalWatch::kBetweenLooks / 2));
  EXPECT_TRUE(watch_.interrupted(start_ + SignalWatch::kBetweenLooks));
}

TEST_F(Watched, IsNotInterruptedIfItCannotBeSeen) {
  ::kill(child_.pid(), SIGUSR1);
  SignalWatch unseen(proc_.get(), 0);
  SignalWatch blind(-1, child_.pid());
  for (int look = 0; look < 3; ++look) {
    EXPECT_FALSE(unseen.interrupted(start_ + look * SignalWatch::kBetweenLooks));
    EXPECT_FALSE(blind.interrupted(start_ + look * SignalWatch::kBetweenLooks));
  }
}

}  // namespace
}  // namespace zctrace::fuse
