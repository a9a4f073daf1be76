// SPDX-License-Identifier: MIT
// Waiting for locks: success, interruption, end.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>

#include "collector/fuse/filesystem/lock_waiters.h"

namespace zctrace::fuse {
namespace {

class Answer {
 public:
  void give(int error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
    given_.notify_all();
  }
  int wait() {
    std::unique_lock lock(mutex_);
    given_.wait(lock, [this] { return error_ >= 0; });
    return error_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  int error_ = -1;
};

TEST(LockWaiters, RetryUntilTheLockIsFree) {
  LockWaiters waiters;
  Answer answer;
  std::atomic<bool> held{true};
  waiters.add({[&] { return held ? EAGAIN : 0; }, [] { return false; },
               [&](int error) { answer.give(error); }});
  held = false;
  waiters.wake();
  EXPECT_EQ(answer.wait(), 0);
}

TEST(LockWaiters, InterruptedWaiterGetsEintrAndOthersWaitOn) {
  LockWaiters waiters;
  Answer first;
  Answer second;
  std::atomic<bool> interrupted{false};
  std::atomic<bool> held{true};
  waiters.add({[&] { return held ? EAGAIN : 0; }, [&] { return interrupted.load(); },
               [&](int error) { first.give(error); }});
  waiters.add({[&] { return held ? EAGAIN : 0; }, [] { return false; },
               [&](int error) { second.give(error); }});
  interrupted = true;
  waiters.wake();
  EXPECT_EQ(first.wait(), EINTR);
  held = false;
  waiters.wake();
  EXPECT_EQ(second.wait(), 0);
}

TEST(LockWaiters, EndAnswersAllWaiters) {
  Answer answer;
  {
    LockWaiters waiters;
    waiters.add(
        {[] { return EAGAIN; }, [] { return false; }, [&](int error) { answer.give(error); }});
  }
  EXPECT_EQ(answer.wait(), ENOLCK);
}

}  // namespace
}  // namespace zctrace::fuse
