// SPDX-License-Identifier: MIT
// Runs a piece of code in an observed child, and returns the counts of just that code.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "collector/observe/session.h"

namespace zctrace::testing {

// Why probes cannot be loaded here, empty if they can; found out once.
const std::string& probes_refused();

#define ZC_NEEDS_PROBES()                            \
  if (!::zctrace::testing::probes_refused().empty()) \
  GTEST_SKIP() << ::zctrace::testing::probes_refused()

struct Observation {
  std::vector<Process> processes;  // the child first, then its descendants
  Completeness completeness;
  std::uint64_t untimed_ns = 0;  // with ProbeOptions::check_estimates
  int exit_code = 0;

  const Process& child() const { return processes.at(0); }
  // The sum of the rows with this name in all processes; a Row of zeros if there is none.
  Row row(const std::string& syscall) const;
  Row row(const std::string& syscall, Kind from, Kind to) const;
};

// Two connected TCP sockets.
std::array<int, 2> tcp_pair();

// What the child runs; its result is the exit code. It must not use GoogleTest.
using Body = std::function<int()>;

// Only what `body` does is counted: neither fork nor exit. Throws Error.
Observation observe(const Body& body, ProbeOptions probes = {},
                    const std::string& syscalls = "%all");

// The same, but the child is counted until it ends. Without a window, an exit counts whose entry
// was not seen: it looks like that of a call that seccomp answers.
Observation observe_process(const Body& body, const ProbeOptions& probes);

// Tests that run with times and without: TEST_P of a class derived from this.
class InBothModes : public ::testing::TestWithParam<bool> {
 protected:
  static ProbeOptions probes() {
    ProbeOptions options;
    options.latency = GetParam();
    return options;
  }
};

#define ZC_IN_BOTH_MODES(suite)                                            \
  INSTANTIATE_TEST_SUITE_P(Latency, suite, ::testing::Values(true, false), \
                           [](const auto& parameter) { return parameter.param ? "on" : "off"; })

}  // namespace zctrace::testing
