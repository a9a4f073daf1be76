// SPDX-License-Identifier: MIT
// Requests that wait for a lock, kept off the serving threads: a lock is often released by another
// request, which must find a free thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace zctrace::fuse {

// One thread retries the waiting requests: at once when a lock was released through the mount, and
// every few milliseconds for locks that a process holds on the source directly.
class LockWaiters {
 public:
  struct Waiting {
    std::function<int()> attempt;       // 0, EAGAIN while the lock is held, or another errno
    std::function<bool()> interrupted;  // whether the waiting task got a signal
    std::function<void(int error)> answer;
  };

  LockWaiters() = default;
  ~LockWaiters();  // answers all remaining waiters with ENOLCK

  void add(Waiting waiting);
  // Call it when a lock may have become free or a waiter was interrupted. Any thread may call.
  void wake() noexcept;
  // Answers all waiters with ENOLCK, and accepts no more. Call it before the session is destroyed.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Waiting> waiting_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;  // started for the first waiter
};

}  // namespace zctrace::fuse
