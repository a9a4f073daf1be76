// SPDX-License-Identifier: MIT
// Reads of /proc that a process using the mount can block, on a thread that serves no requests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace zctrace::fuse {

// Reading /proc/TID can block on the task itself: on its mmap_lock during a page fault, or on its
// exec_update_lock during execve. Also, the thread that drops the last reference to a task's memory
// has to write its dirty pages. If the task is waiting for an answer from the reading thread at
// that moment, both wait forever. So serving threads leave such reads to this thread and stop
// waiting after a while. Jobs run one after another, in order. Any thread may call.
class BackgroundReader {
 public:
  using Work = std::function<void()>;

  BackgroundReader();
  // Waits for the running job, and drops the queued ones.
  ~BackgroundReader();
  BackgroundReader(const BackgroundReader&) = delete;
  BackgroundReader& operator=(const BackgroundReader&) = delete;

  void post(Work work);
  // Returns whether the work was done within `patience`. If not, it runs later, so everything that
  // it writes to must live as long. Returns false at once while an abandoned job is still
  // unfinished.
  bool run(Work work, std::chrono::milliseconds patience);

 private:
  struct Job {
    Work work;
    bool done = false;
    bool given_up = false;
  };

  std::shared_ptr<Job> add(Work work);
  void work() noexcept;

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable done_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::size_t given_up_ = 0;  // jobs that are abandoned but not yet finished
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace zctrace::fuse
