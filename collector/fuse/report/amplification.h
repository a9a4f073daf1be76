// SPDX-License-Identifier: MIT
// What one byte through a mount costs: the applications' calls, the requests that the kernel made
// of them, and the system calls that the daemon made to serve those. Plain values, no I/O.
#pragma once

#include <cstdint>
#include <vector>

#include "collector/model/report.h"

namespace zctrace::fuse {

// Adds the rows of `process` that have a FUSE file at one end. Their switches are included.
void add_calls_on_fuse(Process& sum, const Process& process);
// The sum of all `processes`.
Process sum_of(std::vector<Process> processes);

struct Side {
  std::uint64_t calls = 0;
  std::uint64_t copied_bytes = 0;     // through user space, in either direction
  std::uint64_t in_kernel_bytes = 0;  // by sendfile, splice and similar calls
  Switches switches;

  std::uint64_t bytes() const { return copied_bytes + in_kernel_bytes; }
};

struct Amplification {
  // Bytes that applications moved by calls, and by page-ins and writebacks of mappings, which no
  // call requested. All figures per GB are per GB of these bytes.
  std::uint64_t bytes = 0;
  Side applications;
  Side requests;  // no switches: those belong to the two other sides
  Side daemon;
};
Amplification amplification_of(const ObservedCalls& observed, const ProcessRequests& requests);

}  // namespace zctrace::fuse
