// SPDX-License-Identifier: MIT
// BPF beside a mount: the calls of those who use it, and the threads that serve it.
#pragma once

#include <sys/types.h>

#include <vector>

#include "collector/fuse/report/amplification.h"
#include "collector/fuse/requesters/requesters.h"
#include "collector/observe/session.h"

namespace zctrace::fuse {

// Owns the session. Everybody is observed from before the mount is there, so that no call on it
// is missed; whoever never asked the mount for anything is left out of the sums. No thread that
// serves ever waits for the session, nor the session for a request. One thread at a time.
class Observation {
 public:
  // Throws Error: cannot run here.
  Observation();
  // The threads that will serve, none of which does yet. Throws Error.
  void serve_with(const std::vector<pid_t>& threads);

  // Reads the counts. Call it about once a second.
  void poll(Requesters& requesters);
  // When the threads that served have ended: polls until the kernel has added them up, which is
  // a moment after they could be joined.
  void finish(Requesters& requesters);

  // As of the latest poll.
  Observed seen() const;

 private:
  Session session_;
  std::size_t threads_ = 0;
  Process ended_;    // the calls of applications that are gone
  Process running_;  // and of the others
};

}  // namespace zctrace::fuse
