// SPDX-License-Identifier: MIT
// Counts the files that are open for writing, under one lock that also orders the recalls.
#include "collector/fuse/receiving/expected_writes.h"

#include <fcntl.h>

#include <utility>

namespace zctrace::fuse {

void ExpectedWrites::set_recall(std::function<void()> recall) { recall_ = std::move(recall); }

// The caller holds the lock, so another thread that expects a write waits for the recall as well.
void ExpectedWrites::expect() {
  calm_ = 0;
  if (!expected_.exchange(true)) recall_();
}

void ExpectedWrites::opened(bool announces) {
  const std::lock_guard lock(mutex_);
  open_++;
  if (announces) return;
  unannounced_++;
  expect();
}

void ExpectedWrites::closed(bool announces) noexcept {
  const std::lock_guard lock(mutex_);
  const bool had_reason = has_reason();
  if (!announces) unannounced_--;
  if (--open_ == 0) announced_ = false;
  if (had_reason && !has_reason()) calm_ = kCalm;
}

void ExpectedWrites::announced() {
  if (!recall_ || announced_) return;
  const std::lock_guard lock(mutex_);
  if (open_ == 0) return;  // a process has asked for the attribute itself
  expect();
  announced_ = true;
}

void ExpectedWrites::received() noexcept {
  if (calm_ == 0) return;
  const std::lock_guard lock(mutex_);
  if (calm_ != 0 && --calm_ == 0) expected_ = false;
}

void WriteAccess::begin(ExpectedWrites& writes, int flags, bool direct) {
  const int mode = flags & O_ACCMODE;
  if (!writes.recall_ || mode == O_RDONLY) return;
  announces_ = mode == O_WRONLY && !direct;
  writes.opened(announces_);
  writes_ = &writes;
}

WriteAccess::~WriteAccess() {
  if (writes_ != nullptr) writes_->closed(announces_);
}

}  // namespace zctrace::fuse
