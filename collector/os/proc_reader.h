// SPDX-License-Identifier: MIT
// Reads what /proc says about other processes, without waiting for them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/os/child.h"
#include "collector/os/descriptor.h"

namespace zctrace {

// A file, or the target of a symbolic link.
struct ProcRequest {
  std::string path;
  bool link = false;
};

// Any process can make a read of its /proc files wait inside the kernel for as long as it likes,
// for example for the lock of its memory, or for a FUSE server that does not answer. Some of these
// waits ignore even SIGKILL, and a process with a thread in one never ends. So a child process
// reads. If it does not answer, it is killed but not waited for, and a new child reads the rest.
// One thread at a time. The first read forks.
class ProcReader {
 public:
  static constexpr std::chrono::milliseconds kPatience{100};
  static constexpr std::size_t kMostUnanswered = 3;
  static constexpr std::size_t kMostBytes = 4096;

  // `patience`: how long a file may take. `most_unanswered`: after so many files that do not
  // answer, the rest of a call of read() counts as such, too. `most_bytes`: of a file are read.
  explicit ProcReader(std::chrono::milliseconds patience = kPatience,
                      std::size_t most_unanswered = kMostUnanswered,
                      std::size_t most_bytes = kMostBytes)
      : patience_(patience), most_unanswered_(most_unanswered), most_bytes_(most_bytes) {}
  ~ProcReader();  // waits for a child that is idle
  ProcReader(const ProcReader&) = delete;
  ProcReader& operator=(const ProcReader&) = delete;

  // Forks now rather than at the first read. The child lasts as long as the calling thread.
  void start() { has_worker(); }

  // The answers, in the order of the requests. nullopt: there is no such file, it cannot be read,
  // or it does not answer. A file that did not answer is not read again for ten seconds.
  std::vector<std::optional<std::string>> read(const std::vector<ProcRequest>& wanted);
  std::optional<std::string> read_one(const std::string& path) {
    return read(std::vector<ProcRequest>{{path}}).front();
  }
  // Whether the file did not answer during the last ten seconds.
  bool is_silent(const std::string& path);

 private:
  // The child that reads, and the socket to it.
  struct Worker {
    explicit Worker(std::size_t most_bytes);
    Descriptor socket;
    std::optional<Child> child;
  };

  using Clock = std::chrono::steady_clock;

  bool has_worker();
  bool await_answer();
  bool receive(std::optional<std::string>& answer);
  void abandon();

  std::chrono::milliseconds patience_;
  std::size_t most_unanswered_;
  std::size_t most_bytes_;
  std::optional<Worker> worker_;
  std::map<std::string, Clock::time_point> silent_;  // until when they are not read
  std::list<Child> stuck_;                           // killed, but still waiting inside the kernel
};

}  // namespace zctrace
