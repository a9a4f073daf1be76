// SPDX-License-Identifier: MIT
// Observes a mount with BPF: the calls of the processes that use it, and the threads that serve it.
#pragma once

#include <sys/types.h>

#include <vector>

#include "collector/fuse/report/amplification.h"
#include "collector/fuse/requesters/requesters.h"
#include "collector/observe/session.h"

namespace zctrace::fuse {

// Owns the session. It observes every process from before the mount exists, so that it misses no
// call on the mount. Processes that never sent a request to the mount are left out of the sums. No
// serving thread ever waits for the session, and the session never waits for a request. Use it from
// one thread at a time.
class MountSession {
 public:
  // Throws Error (cannot run here).
  MountSession();
  // Takes the threads that will serve, before any of them does. Throws Error.
  void serve_with(const std::vector<pid_t>& threads);

  // Reads the counts. Call it about once a second.
  void poll(Requesters& requesters);
  // Call it when the serving threads have ended. Polls until the kernel has added up their counts,
  // which happens a moment after they can be joined.
  void finish(Requesters& requesters);

  // The counts at the latest poll.
  ObservedCalls seen() const;

 private:
  Session session_;
  std::size_t threads_ = 0;
  Process ended_;    // calls of applications that have ended
  Process running_;  // calls of applications that still run
};

}  // namespace zctrace::fuse
