// SPDX-License-Identifier: MIT
// Giving up what is no longer needed once the probes are loaded.
#pragma once

namespace zctrace {

// Drops every capability of the calling thread, and of threads that it will start, but CAP_KILL
// (to pass signals on to a command that runs as somebody else) and, where `inspect` is set, the
// two that reading other users' /proc entries needs; where `unmount` is, CAP_SYS_ADMIN. Root's
// uid stays. Throws Error.
void drop_capabilities(bool inspect, bool unmount = false);

}  // namespace zctrace
