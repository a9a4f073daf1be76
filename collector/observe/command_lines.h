// SPDX-License-Identifier: MIT
// The command lines of processes that are attached to.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace zctrace {

// Reads /proc/PID/cmdline on threads of its own, because that can block for as long as the process
// holds the lock of its memory, or until a page of it has been read from a disk or a file system
// that does not answer. Such a read delays nothing else; what is late is taken later, or never.
// Use it from one thread.
class CommandLines {
 public:
  struct Found {
    std::uint64_t account;
    std::vector<std::string> argv;  // empty: there is none, or the process has ended
  };

  CommandLines() : shared_(std::make_shared<Shared>()) {}
  ~CommandLines();  // waits for no read

  void ask(std::uint64_t account, std::int64_t pid);
  // What has been read since the last call. Waits for at most `patience` until everything that was
  // asked for is there; not for a read that was late before.
  std::vector<Found> take(std::chrono::milliseconds patience);

 private:
  struct Asked {
    std::uint64_t account;
    std::int64_t pid;
  };
  // Lives as long as the last thread.
  struct Shared {
    std::mutex mutex;
    std::condition_variable wanted;
    std::condition_variable done;
    std::deque<Asked> asked;
    std::vector<Found> found;
    std::size_t reading = 0;     // asked for and not found yet, except the late ones
    std::size_t generation = 0;  // threads of earlier ones have been given up
    bool stopped = false;
  };

  void start_reader();
  static void read(const std::shared_ptr<Shared>& shared, std::size_t generation) noexcept;

  std::shared_ptr<Shared> shared_;
  bool reader_running_ = false;
};

}  // namespace zctrace
