// SPDX-License-Identifier: MIT
// Sums rows into the applications' and the daemon's side.
#include "collector/fuse/report/amplification.h"

#include "collector/fuse/counts/usage.h"

namespace zctrace::fuse {
namespace {

bool touches_fuse(const Row& row) { return row.from == Kind::fuse || row.to == Kind::fuse; }

Side side_of(const Process& process) {
  Side side;
  side.calls = process.syscalls();
  side.copied_bytes = process.copied_bytes();
  side.in_kernel_bytes = process.in_kernel_bytes();
  side.switches = {process.voluntary_switches(), process.involuntary_switches()};
  return side;
}

std::uint64_t bytes_of(const ProcessRequests& requests, Operation operation) {
  const auto found = requests.find(operation);
  return found == requests.end() ? 0 : found->second.bytes;
}

}  // namespace

void add_calls_on_fuse(Process& sum, const Process& process) {
  std::vector<Row> rows;
  for (const Row& row : process.rows)
    if (touches_fuse(row)) rows.push_back(row);
  merge_rows(sum.rows, rows);
}

Process sum_of(std::vector<Process> processes) {
  Report report;
  report.processes = std::move(processes);
  return report.totals().sum;
}

Amplification amplification_of(const ObservedCalls& observed, const ProcessRequests& requests) {
  Amplification all;
  all.applications = side_of(observed.applications);
  all.daemon = side_of(observed.daemon);
  const Usage usage = usage_of(requests);
  all.requests.calls = usage.requests;
  all.requests.copied_bytes = usage.copied_bytes;
  // Includes the bytes of copy_file_range, which the kernel moves below the daemon.
  all.requests.in_kernel_bytes = usage.bytes_read + usage.bytes_written - usage.copied_bytes;
  all.bytes = all.applications.bytes() + bytes_of(requests, Operation::mmap) +
              bytes_of(requests, Operation::writeback);
  return all;
}

}  // namespace zctrace::fuse
