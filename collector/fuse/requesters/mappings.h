// SPDX-License-Identifier: MIT
// Which process maps which file: tells read calls from page-ins where the task does not.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "collector/fuse/requesters/background_reader.h"

namespace zctrace::fuse {

// A file as /proc/PID/maps names it.
struct MappedFile {
  dev_t device = 0;
  std::uint64_t number = 0;
  auto operator<=>(const MappedFile&) const = default;
};

// Whether the text of /proc/PID/maps has a line of that file.
bool has_mapping(std::string_view maps, const MappedFile& file);

// Reads /proc/PID/maps on a thread of its own; whoever asks waits a few milliseconds at most. An
// answer is good for a moment. Any thread.
class Mappings {
 public:
  explicit Mappings(int proc) : proc_(proc) {}  // a descriptor of /proc, which outlives this

  // nullopt: it could not be told in time, or not at all.
  std::optional<bool> maps(pid_t pid, const MappedFile& file);

 private:
  using Clock = std::chrono::steady_clock;
  using Question = std::pair<pid_t, MappedFile>;
  struct Answer {
    bool good = false;
    std::optional<bool> maps;
    Clock::time_point time;
  };

  Answer good_answer(const Question& question);
  void answer(const Question& question);
  std::optional<bool> look(const Question& question) const;

  const int proc_;
  std::mutex mutex_;
  std::map<Question, Answer> answers_;
  Aside aside_;  // last: it uses what is above
};

}  // namespace zctrace::fuse
