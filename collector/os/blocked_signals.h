// SPDX-License-Identifier: MIT
// For threads that must not take signals, which are for the main thread.
#pragma once

#include <signal.h>

namespace zctrace {

// While it exists, the calling thread takes no signals. The threads that it starts meanwhile never
// do.
class BlockedSignals {
 public:
  BlockedSignals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace zctrace
