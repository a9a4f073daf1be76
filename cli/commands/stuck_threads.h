// SPDX-License-Identifier: MIT
// How a command ends whose mount has given up a thread.
#pragma once

#include <string>

namespace zctrace {

// Says on standard error that a file system below `source` does not answer, and ends the process
// while a thread still waits for it.
[[noreturn]] void end_with_stuck_threads(const std::string& source, int status);

}  // namespace zctrace
