// SPDX-License-Identifier: MIT
// Work that can be held up by those who are served, on a thread that serves nobody.
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

// Reading /proc about a task can wait for that task: for its mmap_lock while it is in a page fault,
// for its exec_update_lock while it becomes another program, and whoever drops the last reference
// to its memory writes the dirty pages. If the task then waits for an answer of the one who reads,
// both wait for ever. So who serves leaves it to this thread, and gives up after a while. Pieces of
// work are done one after another, in order. Any thread.
class Aside {
 public:
  using Work = std::function<void()>;

  Aside();
  // Waits for the work under way, and drops the rest.
  ~Aside();
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  void post(Work work);
  // Whether it was done within `patience`. If not it is done some time later, so what it writes to
  // must live as long. False at once while something that was given up is still under way.
  bool run(Work work, std::chrono::milliseconds patience);

 private:
  struct Piece {
    Work work;
    bool done = false;
    bool given_up = false;
  };

  std::shared_ptr<Piece> add(Work work);
  void work() noexcept;

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable done_;
  std::deque<std::shared_ptr<Piece>> pieces_;
  std::size_t given_up_ = 0;  // and not yet done
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace zctrace::fuse
