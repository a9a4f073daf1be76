// SPDX-License-Identifier: MIT
// Reads the command lines of attached processes.
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

// Reads /proc/PID/cmdline on its own threads. Such a read can block for as long as the process
// holds the lock of its memory, or until a page has been read from a slow disk or a file system
// that does not answer. It delays nothing else, and take() returns its result later or never. One
// thread at a time.
class CommandLines {
 public:
  struct Found {
    std::uint64_t account;
    std::vector<std::string> argv;  // empty: it has none, or has ended
  };

  CommandLines() : shared_(std::make_shared<Shared>()) {}
  ~CommandLines();  // does not wait for reads

  void ask(std::uint64_t account, std::int64_t pid);
  // Returns what was read since the last call. Waits, for at most `patience`, for everything that
  // was asked for, except for reads that were late before.
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
    std::size_t reading = 0;     // asked for and not read yet, except the late ones
    std::size_t generation = 0;  // threads of earlier generations have been given up
    bool stopped = false;
  };

  void start_reader();
  static void read(const std::shared_ptr<Shared>& shared, std::size_t generation) noexcept;

  std::shared_ptr<Shared> shared_;
  bool reader_running_ = false;
};

}  // namespace zctrace
