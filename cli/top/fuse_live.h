// SPDX-License-Identifier: MIT
// `zctrace fuse --live`: the table of the latest interval, on the whole screen.
#pragma once

#include <chrono>
#include <optional>

#include "collector/fusewatch/fuse_watch.h"
#include "collector/os/signals.h"

namespace zctrace {

// Returns when q is pressed, on a signal, after `duration`, and when the mount that was asked for
// is unmounted. Throws Error. Requires TopScreen::require_terminal().
void show_fuse_live(fusewatch::FuseWatch& watch, Signals& signals,
                    std::chrono::nanoseconds interval,
                    std::optional<std::chrono::nanoseconds> duration);

}  // namespace zctrace
