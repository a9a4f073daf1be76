// SPDX-License-Identifier: MIT
// Wakes the thread that makes the kernel forget inodes, and tells it for which users.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <unordered_set>

namespace zctrace::fuse {

// Any thread may call.
class Shortage {
 public:
  // `user` has little room.
  void report(uid_t user) noexcept;
  // The condition of wait() may hold now.
  void notify() noexcept { changed_.notify_one(); }
  // Waits until a user is reported or `condition` holds. False: stop() was called.
  bool wait(const std::function<bool()>& condition);
  // The users that were reported since the last call.
  std::unordered_set<uid_t> take();
  // Ends early at stop().
  void pause(std::chrono::milliseconds time);
  void stop() noexcept;

  // A request of `user` wants to wait for room. Returns false if one of the user's does already, or
  // if `most` requests do. Otherwise the caller calls end_wait().
  bool begin_wait(uid_t user, std::size_t most);
  void end_wait(uid_t user) noexcept;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<uid_t> users_;
  std::unordered_set<uid_t> waiting_;
  bool stopping_ = false;
};

}  // namespace zctrace::fuse
