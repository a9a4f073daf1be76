// SPDX-License-Identifier: MIT
// A signal ends a read(2) with EINTR. One that arrives just before the read is lost, so it is sent
// again until the thread is away.
#include "collector/fuse/receiving/reading_threads.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

namespace zctrace::fuse {
namespace {

// How often to look whether a thread is away before it is signalled again.
constexpr int kLooks = 100;
constexpr useconds_t kPauseUs = 20;

}  // namespace

bool ReadingThread::begin(const ExpectedWrites& writes) noexcept {
  state_ = ReadState::reading;
  if (!writes.expected()) return true;  // else the recall may have passed by
  end();
  return false;
}

void ReadingThread::end() noexcept {
  ReadState state = ReadState::reading;
  if (state_.compare_exchange_strong(state, ReadState::away)) return;
  // Only the thread that sends the signal leaves `being_signalled`.
  do {
    ::sched_yield();
    state = ReadState::signalled;
  } while (!state_.compare_exchange_weak(state, ReadState::away));
  // The signal has been sent; returning from a call, this thread takes it.
  ::syscall(SYS_gettid);
}

bool ReadingThread::signal(ReadState from, int signal) noexcept {
  if (!state_.compare_exchange_strong(from, ReadState::being_signalled)) return false;
  ::pthread_kill(thread_, signal);
  state_ = ReadState::signalled;
  return true;
}

ReadingThread& ReadingThreads::add_this_thread() {
  const std::lock_guard lock(mutex_);
  return threads_.emplace_back(::pthread_self());
}

void ReadingThreads::recall(int signal) noexcept {
  using ReadState = ReadingThread::ReadState;
  const std::lock_guard lock(mutex_);
  for (ReadingThread& thread : threads_) thread.signal(ReadState::reading, signal);
  for (ReadingThread& thread : threads_) {
    for (int look = 1; thread.state_ != ReadState::away; ++look) {
      if (look <= kLooks) {
        ::sched_yield();
      } else {
        thread.signal(ReadState::signalled, signal);
        ::usleep(kPauseUs);
      }
    }
  }
}

}  // namespace zctrace::fuse
