// SPDX-License-Identifier: MIT
// Measures what methods cost on this machine, as `compare` does without probes.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/advice/basis.h"
#include "cli/advice/method_pair.h"

namespace zctrace {

// What one measurement found.
struct Measurement {
  Basis basis;                        // both methods of each pair that was measured
  std::optional<std::string> failed;  // what went wrong with the others
};

// Runs both methods of each pair in turn, each run in a child process with a file of its own in
// /var/tmp or /dev/shm, which has no name and is gone afterwards. Ends after `limit`, or as soon as
// `stop_fd` is readable (-1: nothing stops it). A pair that had too little time is not in the
// basis. Nothing is thrown.
Measurement measure(const std::vector<MethodPair>& pairs, std::chrono::nanoseconds limit,
                    int stop_fd);

}  // namespace zctrace
