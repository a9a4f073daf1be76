// SPDX-License-Identifier: MIT
// Reads the command lines of attached processes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "collector/os/proc_reader.h"

namespace zctrace {

// The most that is kept of a command line. A process may have megabytes of arguments.
constexpr std::size_t kCommandBytes = ProcReader::kMostBytes;
constexpr std::size_t kCommandWords = 256;

// The words of a command line, each of which ends with a zero byte. "…" says that the text is
// `cut`, or that it has more than kCommandWords words.
std::vector<std::string> words_of_command(std::string_view text, bool cut);

// The same for the text of /proc/PID/cmdline, of which kCommandBytes are kept. A program that wrote
// its title over its arguments leaves the rest as zero bytes, which are no words.
std::vector<std::string> words_of_proc(std::string_view text);

// Reads /proc/PID/cmdline on a thread of its own, so that a process that does not answer delays
// neither the counting nor the end of zctrace. take() returns a late answer later, or never.
class CommandLines {
 public:
  struct Found {
    std::uint64_t account;
    std::vector<std::string> argv;  // empty: it has none, has ended, or does not answer
  };

  CommandLines() = default;
  ~CommandLines();  // waits for one read, which is bounded
  CommandLines(const CommandLines&) = delete;
  CommandLines& operator=(const CommandLines&) = delete;

  void ask(std::uint64_t account, std::int64_t pid);
  // Returns what was read since the last call. Waits for everything that was asked for, for at most
  // `patience`.
  std::vector<Found> take(std::chrono::milliseconds patience);

 private:
  // Read together: more would take longer to end, fewer cost more.
  static constexpr std::size_t kAtOnce = 8;

  struct Asked {
    std::uint64_t account;
    std::int64_t pid;
  };

  void start();
  void work() noexcept;

  // Used by the thread, for kAtOnce files at most, so it skips none because others are stuck.
  ProcReader proc_{std::chrono::milliseconds(50), kAtOnce};
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable done_;
  std::deque<Asked> asked_;
  std::vector<Found> found_;
  std::size_t reading_ = 0;  // asked for and not read yet
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace zctrace
