// SPDX-License-Identifier: MIT
// One queue and one thread.
#include "collector/observe/command_lines.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "collector/observe/targets.h"
#include "collector/os/blocked_signals.h"
#include "collector/os/capabilities.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

constexpr const char* kLeftOut = "…";

}  // namespace

std::vector<std::string> words_of_command(std::string_view text, bool cut) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    if (words.size() == kCommandWords) {
      words.emplace_back(kLeftOut);
      return words;
    }
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (cut && !words.empty() && !text.ends_with('\0'))
    words.back() += kLeftOut;
  else if (cut)
    words.emplace_back(kLeftOut);
  return words;
}

std::vector<std::string> words_of_proc(std::string_view text) {
  const bool full = text.size() >= kCommandBytes;
  text = text.substr(0, kCommandBytes);
  std::string_view title = text.substr(0, text.find_last_not_of('\0') + 1);
  // One zero byte ends the last word, so that a cut behind it does not look like one inside it.
  if (title.size() < text.size() && !title.empty()) title = text.substr(0, title.size() + 1);
  return words_of_command(title, full);
}

CommandLines::~CommandLines() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    wanted_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void CommandLines::ask(std::uint64_t account, std::int64_t pid) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back({account, pid});
    reading_++;
    wanted_.notify_all();
  }
  if (!thread_.joinable()) start();
}

std::vector<CommandLines::Found> CommandLines::take(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  done_.wait_for(lock, patience, [this] { return reading_ == 0; });
  return std::exchange(found_, {});
}

void CommandLines::start() {
  const BlockedSignals blocked;
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {  // the report then lacks command lines
    const std::lock_guard lock(mutex_);
    asked_.clear();
    reading_ = 0;
  }
}

// Drops capabilities itself, because the main thread drops only its own.
void CommandLines::work() noexcept {
  try {
    drop_capabilities(TargetFinder().proc_hides_processes() ? Privilege::find_executables
                                                            : Privilege::none);
  } catch (const Error&) {
    return;
  }
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return stopped_ || !asked_.empty(); });
    if (stopped_) return;
    const std::size_t count = std::min(asked_.size(), kAtOnce);
    std::vector<Asked> asked(asked_.begin(), asked_.begin() + static_cast<std::ptrdiff_t>(count));
    asked_.erase(asked_.begin(), asked_.begin() + static_cast<std::ptrdiff_t>(count));
    lock.unlock();
    std::vector<ProcRequest> wanted;
    for (const Asked& one : asked)
      wanted.push_back({"/proc/" + std::to_string(one.pid) + "/cmdline"});
    const std::vector<std::optional<std::string>> texts = proc_.read(wanted);
    lock.lock();
    for (std::size_t i = 0; i < count; i++)
      found_.push_back({asked[i].account, words_of_proc(texts[i].value_or(""))});
    reading_ -= count;
    done_.notify_all();
  }
}

}  // namespace zctrace
