// SPDX-License-Identifier: MIT
// A thread whose read is stuck is given up, and a new thread reads the rest.
#include "collector/observe/command_lines.h"

#include <signal.h>

#include <fstream>
#include <system_error>
#include <thread>

#include "collector/os/capabilities.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

// After this many reads that are stuck, no more command lines are read.
constexpr std::size_t kMostReaders = 8;

std::vector<std::string> current_command(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
  std::vector<std::string> argv;
  for (std::string word; std::getline(file, word, '\0');) argv.push_back(word);
  // A program that wrote its title over its arguments leaves the rest as zero bytes.
  while (!argv.empty() && argv.back().empty()) argv.pop_back();
  return argv;
}

}  // namespace

CommandLines::~CommandLines() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopped = true;
  shared_->wanted.notify_all();
}

void CommandLines::ask(std::uint64_t account, std::int64_t pid) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->asked.push_back({account, pid});
    shared_->reading++;
    shared_->wanted.notify_all();
  }
  if (!reader_running_) start_reader();
}

std::vector<CommandLines::Found> CommandLines::take(std::chrono::milliseconds patience) {
  std::unique_lock lock(shared_->mutex);
  const bool all = shared_->done.wait_for(lock, patience, [this] { return shared_->reading == 0; });
  std::vector<Found> found = std::move(shared_->found);
  shared_->found.clear();
  if (all) return found;
  // One read is late, and the rest wait behind it.
  shared_->reading = shared_->asked.size();
  shared_->generation++;
  shared_->wanted.notify_all();
  lock.unlock();
  start_reader();
  return found;
}

// Blocks signals, which must reach the main thread. The new thread drops capabilities itself,
// because the main thread drops only its own.
void CommandLines::start_reader() {
  const std::size_t generation = [this] {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->generation >= kMostReaders) {
      shared_->asked.clear();
      shared_->reading = 0;
    }
    return shared_->generation;
  }();
  reader_running_ = true;
  if (generation >= kMostReaders) return;
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(read, shared_, generation).detach();
  } catch (const std::system_error&) {
    reader_running_ = false;  // the report then lacks command lines
    const std::lock_guard lock(shared_->mutex);
    shared_->asked.clear();
    shared_->reading = 0;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void CommandLines::read(const std::shared_ptr<Shared>& shared, std::size_t generation) noexcept {
  try {
    drop_capabilities(Privilege::inspect_processes);
  } catch (const Error&) {
    return;
  }
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->wanted.wait(lock, [&] {
      return shared->stopped || shared->generation != generation || !shared->asked.empty();
    });
    if (shared->stopped || shared->generation != generation) return;
    const Asked asked = shared->asked.front();
    shared->asked.pop_front();
    lock.unlock();
    Found found{asked.account, current_command(asked.pid)};
    lock.lock();
    shared->found.push_back(std::move(found));
    if (shared->generation != generation) return;  // it was late, and take() no longer waits for it
    shared->reading--;
    shared->done.notify_all();
  }
}

}  // namespace zctrace
