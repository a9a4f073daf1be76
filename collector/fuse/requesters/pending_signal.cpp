// SPDX-License-Identifier: MIT
// The masks in the file are hexadecimal, with signal 1 in the lowest bit.
#include "collector/fuse/requesters/pending_signal.h"

#include <charconv>
#include <cstdint>
#include <new>

#include "collector/fuse/requesters/proc_file.h"
#include "collector/os/proc_status.h"

namespace zctrace::fuse {
namespace {

std::uint64_t mask(std::string_view status, std::string_view name) noexcept {
  const std::string_view text = status_field(status, name);
  std::uint64_t signals = 0;
  std::from_chars(text.data(), text.data() + text.size(), signals, 16);
  return signals;
}

}  // namespace

bool has_pending_signal(std::string_view status) noexcept {
  std::uint64_t pending = mask(status, "SigPnd");
  if (status_field(status, "Threads") == "1") pending |= mask(status, "ShdPnd");
  return (pending & ~mask(status, "SigBlk")) != 0;
}

bool SignalWatch::interrupted(std::chrono::steady_clock::time_point now) noexcept {
  if (tid_ == 0 || now < next_look_) return false;
  next_look_ = now + kBetweenLooks;
  try {
    return has_pending_signal(task_status(proc_, tid_));
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace zctrace::fuse
