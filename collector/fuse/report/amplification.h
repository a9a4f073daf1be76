// SPDX-License-Identifier: MIT
// What one byte through a mount costs: the calls of applications, the requests that these
// became, and the system calls that served them. Plain values, no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collector/fuse/counts/request_counts.h"
#include "collector/model/report.h"

namespace zctrace::fuse {

// What BPF saw of both ends. Sums that only grow, so that an interval is a difference.
struct Observed {
  Process applications;  // calls on files of FUSE file systems, and nothing else
  Process daemon;        // the threads that serve: every call, every switch
  std::map<std::string, std::uint64_t> lost_by_reason;
};
Observed difference(const Observed& later, const Observed& earlier);

// Adds the rows of `process` with a FUSE file at one end; their switches are in them.
void add_calls_on_fuse(Process& sum, const Process& process);
// All that `processes` did, as one.
Process sum_of(std::vector<Process> processes);

struct Side {
  std::uint64_t calls = 0;
  std::uint64_t copied_bytes = 0;     // through user space, either way
  std::uint64_t in_kernel_bytes = 0;  // by sendfile, splice and their kin
  Switches switches;

  std::uint64_t bytes() const { return copied_bytes + in_kernel_bytes; }
};

struct Amplification {
  // What applications moved: by calls, and by the page-ins and writebacks of mappings, which no
  // call asked for. All that is said per GB is per GB of these.
  std::uint64_t bytes = 0;
  Side applications;
  Side requests;  // no switches: they are those of the two others
  Side daemon;
};
Amplification amplification_of(const Observed& observed, const ByOperation<TimedCounts>& requests);

}  // namespace zctrace::fuse
