// SPDX-License-Identifier: MIT
// Requests that wait for a lock, off the threads that serve: a lock is often released by
// another request, which must find a thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace zctrace::fuse {

// One thread retries what waits: at once when a lock was released through the mount, and every
// few milliseconds for locks that somebody holds on the source itself.
class LockWaiters {
 public:
  struct Waiting {
    std::function<int()> attempt;       // 0, EAGAIN while it is held, or another errno
    std::function<bool()> interrupted;  // the waiting task got a signal
    std::function<void(int error)> answer;
  };

  LockWaiters() = default;
  ~LockWaiters();  // whatever still waits is answered with ENOLCK

  void add(Waiting waiting);
  // A lock may have become free, or a waiter was interrupted. Any thread.
  void wake() noexcept;
  // Answers all that wait with ENOLCK and takes no more. Before the session goes.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Waiting> waiting_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;  // since the first waiter
};

}  // namespace zctrace::fuse
