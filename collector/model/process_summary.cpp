// SPDX-License-Identifier: MIT
// Sums over the rows of a process.
#include "collector/model/process_summary.h"

namespace zctrace {

std::optional<double> ProcessSummary::zero_copy_share() const {
  if (delivered_bytes == 0) return std::nullopt;
  return static_cast<double>(zero_copy_bytes) / static_cast<double>(delivered_bytes);
}

ProcessSummary& ProcessSummary::operator+=(const ProcessSummary& other) {
  syscalls += other.syscalls;
  errors += other.errors;
  copied_bytes += other.copied_bytes;
  in_kernel_bytes += other.in_kernel_bytes;
  delivered_bytes += other.delivered_bytes;
  zero_copy_bytes += other.zero_copy_bytes;
  voluntary_switches += other.voluntary_switches;
  involuntary_switches += other.involuntary_switches;
  cpu_ns += other.cpu_ns;
  return *this;
}

ProcessSummary summary_of(const Process& process) {
  ProcessSummary summary;
  summary.syscalls = process.syscalls();
  summary.errors = process.errors();
  summary.copied_bytes = process.copied_bytes();
  summary.in_kernel_bytes = process.in_kernel_bytes();
  summary.delivered_bytes = process.delivered_bytes();
  summary.zero_copy_bytes = process.zero_copy_bytes();
  summary.voluntary_switches = process.voluntary_switches();
  summary.involuntary_switches = process.involuntary_switches();
  summary.cpu_ns = process.user_ns + process.system_ns;
  return summary;
}

ProcessSummary summary_of(const Totals& totals) {
  ProcessSummary summary = summary_of(totals.sum);
  summary.delivered_bytes = totals.delivered_bytes;
  summary.zero_copy_bytes = totals.zero_copy_bytes;
  return summary;
}

}  // namespace zctrace
