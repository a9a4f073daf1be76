// SPDX-License-Identifier: MIT
// What `zctrace top` does between its start and its end.
#pragma once

#include <chrono>
#include <optional>

#include "cli/top/model.h"
#include "collector/observe/attach_session.h"

namespace zctrace {

struct LiveOptions {
  AttachSessionOptions observing;
  std::chrono::nanoseconds interval;
  std::optional<std::chrono::nanoseconds> duration;
  TopGroup group = TopGroup::process;
  bool cost = false;  // show what observing costs; needs ProbeOptions::run_times
};

// Shows the targets on the whole screen until q, a signal, the end of the duration, or until the
// terminal is gone. After the duration, the last table stays on the terminal. Throws Error.
void show_live(const LiveOptions& options);

}  // namespace zctrace
