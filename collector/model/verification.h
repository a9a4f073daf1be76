// SPDX-License-Identifier: MIT
// Whether the counts equal the kernel's own: what /proc/PID/io and getrusage show of a process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zctrace {

// The kernel's counters that are compared; see docs/counting.md.
enum class KernelCounter : std::uint8_t { syscr, syscw, rchar, wchar, voluntary, involuntary };
inline constexpr std::size_t kKernelCounters = 6;
// In the order of KernelCounter, as JSON has them.
inline constexpr std::string_view kKernelCounterNames[kKernelCounters] = {
    "syscr", "syscw", "rchar", "wchar", "voluntary_switches", "involuntary_switches",
};
constexpr std::string_view kernel_counter_name(KernelCounter counter) {
  return kKernelCounterNames[static_cast<std::size_t>(counter)];
}
inline constexpr std::size_t kIoCounters = 4;  // the first four are those of /proc/PID/io

using CounterValues = std::array<std::uint64_t, kKernelCounters>;

// One counter, summed over the processes that were compared.
struct CounterCheck {
  std::uint64_t kernel = 0;
  // What the rows say. If they leave a range, the value in it that is closest to the kernel's.
  std::uint64_t counted = 0;
  std::uint64_t difference = 0;  // sum of each process's own, so they cannot cancel
  // How wide the ranges were; 0: the comparison is exact; nullopt: no upper bound.
  std::optional<std::uint64_t> margin = 0;
};

struct Verification {
  // Processes, or threads with --by thread.
  std::uint64_t compared = 0;
  std::map<std::string, std::uint64_t> not_compared;  // by reason, every one present
  std::array<CounterCheck, kKernelCounters> counters;
  std::optional<std::string> io_not_verified;  // why, where the first four were not compared
  // If a command was waited for: the kernel's counters of the command and of the children it waited
  // for, and the part of them that the observed processes account for. The part is smaller if a
  // descendant was not observed.
  struct WaitedCounters {
    std::int64_t pid;
    CounterValues kernel;
    CounterValues observed;
  };
  std::optional<WaitedCounters> waited_children;
  struct Difference {
    std::int64_t pid;
    bool with_descendants;  // the counters of `waited_children`
    KernelCounter counter;
    std::uint64_t kernel;
    std::uint64_t counted;
  };
  std::vector<Difference> differences;
  // Operations of io_uring and native AIO that moved bytes which no row may show. The kernel does
  // not count these in the counters above.
  std::uint64_t lost_operations = 0;

  bool equal() const { return differences.empty() && lost_operations == 0; }
};

}  // namespace zctrace
