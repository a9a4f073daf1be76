// SPDX-License-Identifier: MIT
// What a line about a process shows: its counts without its rows. Pure values, no I/O.
#pragma once

#include <cstdint>
#include <optional>

#include "collector/model/report.h"

namespace zctrace {

// Copied into the process.
std::uint64_t received_by(const Process& process);

// Whether most of what was received went nowhere, so that copies for each delivered byte would say
// nothing about the delivered bytes.
inline bool keeps_most(std::uint64_t received_bytes, const Delivered& delivered) {
  return received_bytes / 2 > delivered.bytes;
}

// These add up over processes and over time; a Process's own ratios do not.
struct ProcessSummary {
  std::uint64_t syscalls = 0;
  std::uint64_t errors = 0;
  std::uint64_t copied_bytes = 0;
  std::uint64_t in_kernel_bytes = 0;
  std::uint64_t cpu_copied_bytes = 0;
  std::uint64_t received_bytes = 0;
  Delivered delivered;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t cpu_ns = 0;

  bool keeps_most() const { return zctrace::keeps_most(received_bytes, delivered); }
  std::uint64_t moved_bytes() const { return copied_bytes + in_kernel_bytes; }
  std::uint64_t switches() const { return voluntary_switches + involuntary_switches; }
  ProcessSummary& operator+=(const ProcessSummary& other);
};

ProcessSummary summary_of(const Process& process);
// Delivered bytes are summed over processes; the sum's own rows cannot give them.
ProcessSummary summary_of(const Totals& totals);

}  // namespace zctrace
