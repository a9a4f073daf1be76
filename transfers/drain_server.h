// SPDX-License-Identifier: MIT
// The reader on another machine (remote.h says how it answers). It keeps nothing of what it reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "collector/os/descriptor.h"
#include "transfers/remote.h"

namespace zctrace::transfers {

struct DrainLimits {
  std::uint64_t bytes = 0;             // of one transfer
  std::chrono::nanoseconds time{};     // of one transfer
  std::chrono::nanoseconds silence{};  // between two bytes of it
};

// A connection that ended.
struct EndedTransfer {
  std::string peer;  // "10.0.0.2:4711"
  DrainAnswer answer;
  std::string cut_off{};  // "", or why it was ended early
};

// Serves `listener`, which does not block, one connection after the other, until `stop_fd` is
// readable. Calls `served` after each that sent anything. Throws Error.
void serve_drain(const Descriptor& listener, const DrainLimits& limits, int stop_fd,
                 const std::function<void(const EndedTransfer&)>& served);

}  // namespace zctrace::transfers
