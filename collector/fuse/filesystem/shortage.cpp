// SPDX-License-Identifier: MIT
// Two sets of users under one lock.
#include "collector/fuse/filesystem/shortage.h"

#include <utility>

namespace zctrace::fuse {

void Shortage::report(uid_t user) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    users_.insert(user);
  } catch (...) {
    return;  // out of memory: the user's next request reports it again
  }
  changed_.notify_one();
}

bool Shortage::wait(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopping_ || !users_.empty() || condition(); });
  return !stopping_;
}

std::unordered_set<uid_t> Shortage::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(users_, {});
}

void Shortage::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stopping_; });
}

void Shortage::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

bool Shortage::begin_wait(uid_t user, std::size_t most) {
  const std::lock_guard lock(mutex_);
  return waiting_.size() < most && waiting_.insert(user).second;
}

void Shortage::end_wait(uid_t user) noexcept {
  const std::lock_guard lock(mutex_);
  waiting_.erase(user);
}

}  // namespace zctrace::fuse
