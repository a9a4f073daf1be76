// SPDX-License-Identifier: MIT
// The thread may use what destructors would destroy, so they do not run.
#include "cli/commands/stuck_threads.h"

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

#include "cli/output/write.h"
#include "cli/text/printable.h"

namespace zctrace {

void end_with_stuck_threads(const std::string& source, int status) {
  say(fmt::format("'{}' does not answer: zctrace ends while a thread still waits for it",
                  printable(source, false)));
  std::fflush(nullptr);
  ::_exit(status);
}

}  // namespace zctrace
