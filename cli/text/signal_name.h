// SPDX-License-Identifier: MIT
// Names of signals.
#pragma once

#include <string>

namespace zctrace {

// "SIGKILL"; "signal 40" for one without a name of its own.
std::string signal_name(int signal);

}  // namespace zctrace
