// SPDX-License-Identifier: MIT
// Subtracting one report from another, row by row.
#include <algorithm>
#include <map>
#include <tuple>

#include "collector/model/report.h"
#include "collector/model/saturating.h"

namespace zctrace {
namespace {

// Account, pid, start. Not the tid, which an exec changes.
using ProcessKey = std::tuple<std::uint64_t, std::int64_t, std::uint64_t>;
using RowKey = std::tuple<std::string, Kind, Kind>;

ProcessKey key_of(const Process& process) {
  return {process.account, process.pid, process.start_ns};
}
RowKey key_of(const Row& row) { return {row.syscall, row.from, row.to}; }

void subtract(Row& later, const Row& earlier) {
  later.calls -= earlier.calls;
  later.errors -= earlier.errors;
  later.restarts -= earlier.restarts;
  later.bytes -= earlier.bytes;
  later.zeroed_bytes -= earlier.zeroed_bytes;
  later.discarded_bytes -= earlier.discarded_bytes;
  later.wall_ns -= earlier.wall_ns;
  later.off_cpu_ns -= earlier.off_cpu_ns;
  later.voluntary_switches -= earlier.voluntary_switches;
  later.involuntary_switches -= earlier.involuntary_switches;
  later.latency -= earlier.latency;
  if (later.max_ns == earlier.max_ns) later.max_ns = later.latency.highest_ns(later.max_ns);
}

bool is_empty(const Row& row) {
  // Of a call that was counted in the middle of a reading the rest comes with the next.
  return row.calls == 0 && row.bytes == 0 && row.errors == 0 && row.restarts == 0 &&
         row.wall_ns == 0 && row.latency.total() == 0 && row.voluntary_switches == 0 &&
         row.involuntary_switches == 0 && row.off_cpu_ns == 0;
}

void subtract(Process& later, const Process& earlier) {
  // The split of the CPU time moves between user and system as ticks come in.
  later.user_ns = not_below_zero(later.user_ns, earlier.user_ns);
  later.system_ns = not_below_zero(later.system_ns, earlier.system_ns);
  later.minor_faults -= earlier.minor_faults;
  later.major_faults -= earlier.major_faults;
  later.outside_syscalls.voluntary -= earlier.outside_syscalls.voluntary;
  later.outside_syscalls.involuntary -= earlier.outside_syscalls.involuntary;
  later.off_cpu_outside_ns -= earlier.off_cpu_outside_ns;
  later.delivered_to_pipes -= earlier.delivered_to_pipes;
  later.delivered_to_pipes_in_kernel -= earlier.delivered_to_pipes_in_kernel;
  later.spliced_from_user -= earlier.spliced_from_user;
  std::map<RowKey, const Row*> before;
  for (const Row& row : earlier.rows) before.emplace(key_of(row), &row);
  for (Row& row : later.rows)
    if (const auto found = before.find(key_of(row)); found != before.end())
      subtract(row, *found->second);
  std::erase_if(later.rows, is_empty);
}

// What came to the others: what they were then is not of this interval, nor is what `joined`,
// which since became some of them, had done by then.
void subtract(Totals& later, const Totals& earlier, const std::vector<const Process*>& joined) {
  const auto subtract_derived = [&later](std::uint64_t delivered, std::uint64_t zero_copy) {
    later.delivered_bytes = not_below_zero(later.delivered_bytes, delivered);
    later.zero_copy_bytes = not_below_zero(later.zero_copy_bytes, zero_copy);
  };
  later.processes -= earlier.processes;
  later.sum.threads = not_below_zero(later.sum.threads, earlier.sum.threads);
  subtract(later.sum, earlier.sum);
  subtract_derived(earlier.delivered_bytes, earlier.zero_copy_bytes);
  for (const Process* process : joined) {
    subtract(later.sum, *process);
    subtract_derived(process->delivered_bytes(), process->zero_copy_bytes());
  }
  for (Row& row : later.sum.rows) row.max_ns = row.latency.highest_ns(row.max_ns);
}

bool is_idle(const Process& process) {
  return process.rows.empty() && process.user_ns == 0 && process.system_ns == 0 &&
         process.outside_syscalls.voluntary == 0 && process.outside_syscalls.involuntary == 0 &&
         process.off_cpu_outside_ns == 0;
}

}  // namespace

Process difference(const Process& later, const Process& earlier) {
  Process between = later;
  subtract(between, earlier);
  return between;
}

Report difference(const Report& later, const Report& earlier) {
  Report between = later;
  std::map<ProcessKey, const Process*> before;
  for (const Process& process : earlier.processes) before.emplace(key_of(process), &process);
  for (Process& process : between.processes)
    if (const auto found = before.find(key_of(process)); found != before.end())
      subtract(process, *found->second);
  if (later.others.processes != 0) {
    for (const Process& process : later.processes) before.erase(key_of(process));
    std::vector<const Process*> joined;
    for (const auto& [key, process] : before)
      if (!process->end_ns) joined.push_back(process);
    subtract(between.others, earlier.others, joined);
  }
  std::erase_if(between.processes, is_idle);
  for (auto& [reason, count] : between.completeness.lost_by_reason)
    if (const auto found = earlier.completeness.lost_by_reason.find(reason);
        found != earlier.completeness.lost_by_reason.end())
      count -= found->second;
  between.completeness.in_flight_at_start -= earlier.completeness.in_flight_at_start;
  between.completeness.compat_syscalls -= earlier.completeness.compat_syscalls;
  between.completeness.unfollowed_tasks -= earlier.completeness.unfollowed_tasks;
  return between;
}

}  // namespace zctrace
