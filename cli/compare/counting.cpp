// SPDX-License-Identifier: MIT
// Options and results of the sessions of the counting pass.
#include "cli/compare/counting.h"

namespace zctrace {

SessionOptions counting_options(const ComparePlan& plan) {
  SessionOptions options;
  options.syscalls = "%all";
  options.probes.adaptive = false;
  options.probes.profile_hz = plan.profile_hz;
  options.probes.channels = options.probes.mapped = plan.channels;
  options.commands = false;  // the report has none, and reading them starts a process
  return options;
}

std::shared_ptr<const Report> by_channel(const ComparePlan& plan, const Session& session,
                                         const std::vector<Process>& processes) {
  if (!plan.channels) return nullptr;
  auto report = std::make_shared<Report>();
  report->unknown = session.unknown();
  report->processes = processes;
  session.add_channels(*report);
  return report;
}

std::uint64_t bytes_to_devices(const Process& counts) {
  std::uint64_t bytes = 0;
  for (const Row& row : counts.rows)
    if (row.to == Kind::device) bytes += row.bytes;
  return bytes;
}

void add_losses(Completeness& completeness, const Completeness& others) {
  for (const auto& [reason, count] : others.lost_by_reason)
    completeness.lost_by_reason[reason] += count;
  completeness.compat_syscalls += others.compat_syscalls;
  completeness.unfollowed_tasks += others.unfollowed_tasks;
}

}  // namespace zctrace
