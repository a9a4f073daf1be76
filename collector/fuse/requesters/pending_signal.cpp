// SPDX-License-Identifier: MIT
// The masks in the file are hexadecimal, with signal 1 in the lowest bit.
#include "collector/fuse/requesters/pending_signal.h"

#include <charconv>
#include <cstdint>
#include <new>

#include "collector/fuse/requesters/proc_file.h"

namespace zctrace::fuse {
namespace {

std::uint64_t mask(std::string_view status, std::string_view name) noexcept {
  const std::string_view text = status_field(status, name);
  std::uint64_t signals = 0;
  std::from_chars(text.data(), text.data() + text.size(), signals, 16);
  return signals;
}

}  // namespace

PendingSignal pending_signal(std::string_view status) noexcept {
  const std::uint64_t deliverable = ~mask(status, "SigBlk");
  if ((mask(status, "SigPnd") & deliverable) != 0) return PendingSignal::for_thread;
  if ((mask(status, "ShdPnd") & deliverable) != 0) return PendingSignal::for_process;
  return PendingSignal::none;
}

bool SignalWatch::interrupted(std::chrono::steady_clock::time_point now) noexcept {
  if (tid_ == 0 || now < next_look_) return false;
  next_look_ = now + kBetweenLooks;
  try {
    const PendingSignal found = pending_signal(task_status(proc_, tid_));
    const bool seen_before = seen_for_process_;
    seen_for_process_ = found == PendingSignal::for_process;
    return found == PendingSignal::for_thread || (seen_for_process_ && seen_before);
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace zctrace::fuse
