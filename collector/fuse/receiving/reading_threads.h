// SPDX-License-Identifier: MIT
// Threads that wait in read(2), and can be recalled from it.
#pragma once

#include <pthread.h>

#include <atomic>
#include <list>
#include <mutex>

#include "collector/fuse/receiving/expected_writes.h"

namespace zctrace::fuse {

// One thread. It calls begin() and end(), and no other thread does.
class ReadingThread {
 public:
  explicit ReadingThread(pthread_t thread) : thread_(thread) {}

  // From now on a recall ends a read(2) of this thread. Returns false, and begins nothing, if
  // writes are expected.
  bool begin(const ExpectedWrites& writes) noexcept;
  // From now on no signal of a recall arrives, so that none interrupts another call.
  void end() noexcept;

 private:
  friend class ReadingThreads;
  enum class ReadState { away, reading, being_signalled, signalled };

  bool signal(ReadState from, int signal) noexcept;

  const pthread_t thread_;
  std::atomic<ReadState> state_{ReadState::away};
};

// The threads of a mount. Any thread may call.
class ReadingThreads {
 public:
  // The calling thread, which must live as long as this is used.
  ReadingThread& add_this_thread();
  // Ends the read(2) of each thread that has begun one, and returns when none is between begin()
  // and end(). A request that a thread has received meanwhile is not lost. `signal` must have a
  // handler that does nothing.
  void recall(int signal) noexcept;

 private:
  std::mutex mutex_;
  std::list<ReadingThread> threads_;
};

}  // namespace zctrace::fuse
