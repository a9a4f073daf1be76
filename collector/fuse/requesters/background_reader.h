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

  // What happens to a job that is running when this is destroyed.
  enum class AtTheEnd {
    wait,   // the destructor waits for it
    leave,  // it runs on, and the process must be able to end meanwhile. It must use nothing that
            // is destroyed.
  };

  explicit BackgroundReader(AtTheEnd at_the_end = AtTheEnd::wait);
  // Drops the queued jobs.
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

  // Owned by the thread as well, which may outlive this.
  struct Queue {
    std::mutex mutex;
    std::condition_variable wanted;
    std::condition_variable done;
    std::deque<std::shared_ptr<Job>> jobs;
    std::size_t given_up = 0;  // jobs that are abandoned but not yet finished
    bool running = false;
    bool stopping = false;
  };

  std::shared_ptr<Job> add(Work work);
  static void work(Queue& queue) noexcept;

  const AtTheEnd at_the_end_;
  const std::shared_ptr<Queue> queue_;
  std::thread thread_;
};

}  // namespace zctrace::fuse
