// SPDX-License-Identifier: MIT
// The loops that every method needs around a call: EINTR, and short counts.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "transfers/error.h"

namespace zctrace::transfers {

constexpr std::uint64_t divide_up(std::uint64_t dividend, std::uint64_t divisor) {
  return dividend / divisor + (dividend % divisor != 0);
}

// Repeats `call()` while it fails with EINTR.
template <typename Call>
ssize_t restarted(Call call) {
  for (;;) {
    const ssize_t n = call();
    if (n >= 0 || errno != EINTR) return n;
  }
}

// Repeats `call(done, left)` until `bytes` are done, adding them to `moved`. `operation`
// is a string literal.
template <typename Call>
Failure complete(const char* operation, std::uint64_t bytes, std::uint64_t& moved, Call call) {
  for (std::uint64_t done = 0; done < bytes;) {
    const ssize_t n = restarted([&] { return call(done, bytes - done); });
    if (n < 0) return last_error(operation);
    if (n == 0) return {EIO, operation};  // the sink makes no progress
    done += static_cast<std::uint64_t>(n);
    moved += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace zctrace::transfers
