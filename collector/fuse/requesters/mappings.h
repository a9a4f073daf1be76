// SPDX-License-Identifier: MIT
// Which process maps which file: distinguishes read calls from page-ins where the task's state does
// not.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "collector/fuse/requesters/background_reader.h"
#include "collector/os/proc_reader.h"

namespace zctrace::fuse {

// A file as /proc/PID/maps names it.
struct MappedFile {
  dev_t device = 0;
  std::uint64_t number = 0;
  auto operator<=>(const MappedFile&) const = default;
};

// Whether the text of /proc/PID/maps has a line for that file.
bool has_mapping(std::string_view maps, const MappedFile& file);

// Reads /proc/PID/maps on a background thread; the caller waits a few milliseconds at most. An
// answer is valid for a moment. Any thread may call.
class Mappings {
 public:
  Mappings();
  void start();  // see Requesters

  // nullopt: unknown, or not found in time.
  std::optional<bool> maps(pid_t pid, const MappedFile& file);

 private:
  using Clock = std::chrono::steady_clock;
  using Question = std::pair<pid_t, MappedFile>;
  struct CachedAnswer {
    bool good = false;
    std::optional<bool> maps;
    Clock::time_point time;
  };

  CachedAnswer good_answer(const Question& question);
  void answer(const Question& question);
  std::optional<bool> look(const Question& question);

  std::mutex mutex_;
  std::map<Question, CachedAnswer> answers_;
  ProcReader reader_;            // used by the background reader
  BackgroundReader background_;  // last: it uses the members above
};

}  // namespace zctrace::fuse
