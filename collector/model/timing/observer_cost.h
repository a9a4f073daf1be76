// SPDX-License-Identifier: MIT
// What observing costs this machine: the run times of zctrace's BPF programs, and its own CPU time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace zctrace {

// At most so many programs are loaded.
inline constexpr std::size_t kMostPrograms = 32;

// One BPF program since it was loaded, as the kernel measured it. Tail calls and functions that it
// calls are included. What the kernel does around a run is not: the slow path of a system call, the
// tracepoint, and most of the measuring itself.
struct BpfRunTime {
  std::string name;
  std::uint64_t runs = 0;
  std::uint64_t ns = 0;

  bool operator==(const BpfRunTime&) const = default;
};

// All of it at one moment.
struct CostReading {
  std::vector<BpfRunTime> programs;
  std::uint64_t own_cpu_ns = 0;  // of the process zctrace, user and system
};

// What was spent between two readings.
struct ObserverCost {
  std::uint64_t calls = 0;  // of every process, because each enters the programs
  std::uint64_t call_ns = 0;
  std::uint64_t switches = 0;
  std::uint64_t switch_ns = 0;
  std::uint64_t programs_ns = 0;  // of all programs but the task walk, which is in own_cpu_ns
  std::uint64_t own_cpu_ns = 0;
};

// Matches programs by name. If `before` is empty, this is what was spent since they were loaded.
ObserverCost observer_cost(const CostReading& now, const CostReading& before);

}  // namespace zctrace
