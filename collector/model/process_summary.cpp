// SPDX-License-Identifier: MIT
// Sums over the rows of a process.
#include "collector/model/process_summary.h"

namespace zctrace {

std::uint64_t received_by(const Process& process) {
  std::uint64_t bytes = 0;
  for (const Row& row : process.rows)
    if (row.to == Kind::user && row.from != Kind::user) bytes += row.cpu_copied_bytes;
  return bytes;
}

ProcessSummary& ProcessSummary::operator+=(const ProcessSummary& other) {
  syscalls += other.syscalls;
  errors += other.errors;
  copied_bytes += other.copied_bytes;
  in_kernel_bytes += other.in_kernel_bytes;
  cpu_copied_bytes += other.cpu_copied_bytes;
  received_bytes += other.received_bytes;
  delivered += other.delivered;
  voluntary_switches += other.voluntary_switches;
  involuntary_switches += other.involuntary_switches;
  cpu_ns += other.cpu_ns;
  return *this;
}

ProcessSummary summary_of(const Process& process) {
  return summary_of(process, delivered_by(process));
}

ProcessSummary summary_of(const Process& process, const Delivered& delivered) {
  ProcessSummary summary;
  summary.syscalls = process.syscalls();
  summary.errors = process.errors();
  summary.copied_bytes = process.copied_bytes();
  summary.in_kernel_bytes = process.in_kernel_bytes();
  summary.cpu_copied_bytes = process.cpu_copied_bytes();
  summary.received_bytes = received_by(process);
  summary.delivered = delivered;
  summary.voluntary_switches = process.voluntary_switches();
  summary.involuntary_switches = process.involuntary_switches();
  summary.cpu_ns = process.user_ns + process.system_ns;
  return summary;
}

ProcessSummary summary_of(const Totals& totals) { return summary_of(totals.sum, totals.delivered); }

}  // namespace zctrace
