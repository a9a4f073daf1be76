// SPDX-License-Identifier: MIT
// What a line about a process shows: its counts without its rows. Pure values, no I/O.
#pragma once

#include <cstdint>
#include <optional>

#include "collector/model/report.h"

namespace zctrace {

// Copied into the process.
std::uint64_t received_by(const Process& process);

// Whether hardly any of what was received was passed on, so that copies for each delivered byte
// would say nothing about the delivered bytes: `wc` reads a whole file to deliver a number.
inline bool keeps_most(std::uint64_t received_bytes, const Delivered& delivered) {
  return received_bytes / 10 > delivered.bytes;
}

// The kernel divides CPU time between user and system by its ticks, one each 4 ms on most kernels
// and each 10 ms on some. Of less time than this there are too few to tell.
inline constexpr std::uint64_t kLeastCpuToDivideNs = 100'000'000;

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
  // CPU copies for each delivered byte; nullopt: nothing was delivered, or hardly anything.
  std::optional<double> copies_per_byte() const {
    return keeps_most() ? std::nullopt : delivered.per_byte(cpu_copied_bytes);
  }
  std::uint64_t moved_bytes() const { return copied_bytes + in_kernel_bytes; }
  std::uint64_t switches() const { return voluntary_switches + involuntary_switches; }
  ProcessSummary& operator+=(const ProcessSummary& other);
};

ProcessSummary summary_of(const Process& process);
// Delivered bytes are summed over processes; the sum's own rows cannot give them.
ProcessSummary summary_of(const Process& sum, const Delivered& delivered);
ProcessSummary summary_of(const Totals& totals);

}  // namespace zctrace
