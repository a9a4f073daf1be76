// SPDX-License-Identifier: MIT
// "start-end perms offset major:minor inode path", one line a mapping; proc(5).
#include "collector/fuse/requesters/mappings.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace zctrace::fuse {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience(5);
constexpr milliseconds kStartPatience(1000);
constexpr milliseconds kGood(20);
constexpr std::size_t kAnswers = 4096;       // kept at once
constexpr std::size_t kMapsBytes = 1 << 20;  // larger maps files are not searched

}  // namespace

bool has_mapping(std::string_view maps, const MappedFile& file) {
  char wanted[64];
  std::snprintf(wanted, sizeof(wanted), " %02x:%02x %llu ", major(file.device), minor(file.device),
                static_cast<unsigned long long>(file.number));
  // A path could contain the same text, but not before the first space after a line's permissions
  // and offset. So each line is cut to its first five fields.
  for (std::size_t begin = 0; begin < maps.size();) {
    const std::size_t end = std::min(maps.find('\n', begin), maps.size());
    std::string_view line = maps.substr(begin, end - begin);
    std::size_t at = 0;
    for (int field = 0; field < 5 && at != std::string_view::npos; ++field)
      at = line.find(' ', field == 0 ? 0 : at + 1);
    if (at != std::string_view::npos) line = line.substr(0, at + 1);
    if (line.ends_with(wanted)) return true;
    begin = end + 1;
  }
  return false;
}

Mappings::Mappings() : reader_(ProcReader::kPatience, ProcReader::kMostUnanswered, kMapsBytes) {}

void Mappings::start() {
  background_.run([this] { reader_.start(); }, kStartPatience);
}

std::optional<bool> Mappings::maps(pid_t pid, const MappedFile& file) {
  const Question question{pid, file};
  if (const CachedAnswer cached = good_answer(question); cached.good) return cached.maps;
  if (!background_.run([this, question] { answer(question); }, kPatience)) return std::nullopt;
  return good_answer(question).maps;
}

Mappings::CachedAnswer Mappings::good_answer(const Question& question) {
  const std::lock_guard lock(mutex_);
  const auto cached = answers_.find(question);
  if (cached == answers_.end()) return {};
  cached->second.good = Clock::now() - cached->second.time < kGood;
  return cached->second;
}

// Runs on the background reader.
void Mappings::answer(const Question& question) {
  if (good_answer(question).good) return;  // several threads asked the same at once
  const std::optional<bool> maps = look(question);
  const std::lock_guard lock(mutex_);
  if (answers_.size() >= kAnswers) answers_.clear();
  answers_[question] = {true, maps, Clock::now()};
}

std::optional<bool> Mappings::look(const Question& question) {
  const std::optional<std::string> text =
      reader_.read_one("/proc/" + std::to_string(question.first) + "/maps");
  // Empty for a process that is ending, and for a kernel thread.
  if (!text || text->empty() || text->size() >= kMapsBytes) return std::nullopt;
  return has_mapping(*text, question.second);
}

}  // namespace zctrace::fuse
