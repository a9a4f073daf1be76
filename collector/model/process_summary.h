// SPDX-License-Identifier: MIT
// What a line about a process shows: its counts without its rows. Pure values, no I/O.
#pragma once

#include <cstdint>
#include <optional>

#include "collector/model/report.h"

namespace zctrace {

// These add up over processes and over time; a Process's own ratios do not.
struct ProcessSummary {
  std::uint64_t syscalls = 0;
  std::uint64_t errors = 0;
  std::uint64_t copied_bytes = 0;
  std::uint64_t in_kernel_bytes = 0;
  std::uint64_t cpu_copied_bytes = 0;
  std::uint64_t received_bytes = 0;  // copied into the process
  Delivered delivered;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t cpu_ns = 0;

  // Whether most of what it received went nowhere, so that copies for each delivered byte would say
  // nothing about the delivered bytes.
  bool keeps_most() const { return received_bytes / 2 > delivered.bytes; }
  std::uint64_t moved_bytes() const { return copied_bytes + in_kernel_bytes; }
  std::uint64_t switches() const { return voluntary_switches + involuntary_switches; }
  ProcessSummary& operator+=(const ProcessSummary& other);
};

ProcessSummary summary_of(const Process& process);
// Delivered bytes are summed over processes; the sum's own rows cannot give them.
ProcessSummary summary_of(const Totals& totals);

}  // namespace zctrace
