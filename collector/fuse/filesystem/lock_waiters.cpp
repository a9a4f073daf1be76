// SPDX-License-Identifier: MIT
// mutex_ is not held while a file lock is tried, so wake() never waits for the file system.
#include "collector/fuse/filesystem/lock_waiters.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace zctrace::fuse {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause(1);
constexpr milliseconds kLongestPause(20);

}  // namespace

LockWaiters::~LockWaiters() { stop(); }

void LockWaiters::add(Waiting waiting) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      try {
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
        waiting_.push_back(std::move(waiting));
        woken_ = true;
        changed_.notify_one();
        return;
        // no thread could be created, so this request cannot wait
      } catch (const std::system_error&) {
      }
    }
  }
  waiting.answer(ENOLCK);
}

void LockWaiters::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void LockWaiters::stop() {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    thread = std::move(thread_);
  }
  changed_.notify_one();
  if (thread.joinable()) thread.join();
}

void LockWaiters::run() {
  milliseconds pause = kFirstPause;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (waiting_.empty()) {
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    } else if (!changed_.wait_for(lock, pause, [this] { return stopping_ || woken_; })) {
      pause = std::min(2 * pause, kLongestPause);
    }
    if (woken_) pause = kFirstPause;
    woken_ = false;
    const bool stopping = stopping_;
    std::list<Waiting> round = std::move(waiting_);
    waiting_.clear();
    lock.unlock();
    for (auto waiting = round.begin(); waiting != round.end();) {
      // Return EINTR only to a task that was interrupted: the kernel makes ERESTARTSYS of it, which
      // any other task would see.
      const int error = waiting->interrupted() ? EINTR : stopping ? ENOLCK : waiting->attempt();
      if (error == EAGAIN) {
        ++waiting;
        continue;
      }
      waiting->answer(error);
      waiting = round.erase(waiting);
    }
    lock.lock();
    waiting_.splice(waiting_.begin(), round);  // the longest waiter is tried first
    if (stopping && waiting_.empty()) return;
  }
}

}  // namespace zctrace::fuse
