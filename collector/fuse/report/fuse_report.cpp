// SPDX-License-Identifier: MIT
// Turns counts by process number into rows with names.
#include "collector/fuse/report/fuse_report.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "collector/fuse/counts/usage.h"
#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/mount/passthrough.h"
#include "collector/fuse/report/amplification.h"

namespace zctrace::fuse {
namespace {

// The requester's view of an operation. Pages of a mapping are not copied by a call.
struct RequestFlow {
  Kind from = Kind::other;
  Kind to = Kind::other;
  Copy copy = Copy::none;
};

RequestFlow flow_of(Operation operation) {
  switch (operation) {
    case Operation::read:
    case Operation::read_or_mmap: return {Kind::fuse, Kind::user, Copy::copied};
    case Operation::mmap: return {Kind::fuse, Kind::user, Copy::in_kernel};
    case Operation::write: return {Kind::user, Kind::fuse, Copy::copied};
    case Operation::writeback: return {Kind::user, Kind::fuse, Copy::in_kernel};
    case Operation::copy_file_range: return {Kind::fuse, Kind::fuse, Copy::in_kernel};
    default: return {};
  }
}

Row row_of(Operation operation, const TimedCounts& counts) {
  const RequestFlow flow = flow_of(operation);
  Row row;
  row.syscall = "fuse:" + std::string(operation_name(operation));
  row.from = flow.from;
  row.to = flow.to;
  row.copy = flow.copy;
  row.calls = counts.calls;
  row.errors = counts.errors;
  row.bytes = counts.bytes;
  row.wall_ns = counts.wall_ns;
  row.max_ns = counts.max_ns;
  row.latency = counts.latency;
  row.asynchronous = true;
  return row;
}

std::uint64_t ns_of(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_usec) * 1000;
}

std::uint64_t moved_bytes(const FileRequests& file) {
  const Usage usage = usage_of(file.operations);
  return usage.bytes_read + usage.bytes_written;
}

// Finds the process of a report that is the same as one that sent requests.
class ObservedProcesses {
 public:
  explicit ObservedProcesses(std::vector<Process>& processes) {
    for (Process& process : processes) by_pid_.emplace(process.pid, &process);
  }

  // nullptr: not in the report. A process that has its requests already is not found again.
  Process* find(const Process& requester) const {
    const auto [first, last] = by_pid_.equal_range(requester.pid);
    Process* same_pid = nullptr;
    for (auto candidate = first; candidate != last; ++candidate) {
      Process* const process = candidate->second;
      if (!process->requests.empty()) continue;
      if (started_together(*process, requester)) return process;
      if (same_pid == nullptr) same_pid = process;
    }
    return same_pid;  // /proc in a time namespace counts from another moment
  }

 private:
  // /proc gives a process's start in clock ticks, the session in ns.
  bool started_together(const Process& process, const Process& requester) const {
    return process.start_ns >= requester.start_ns &&
           process.start_ns - requester.start_ns < tick_ns_;
  }

  const std::uint64_t tick_ns_ =
      1'000'000'000ULL / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  std::multimap<std::int64_t, Process*> by_pid_;
};

}  // namespace

DaemonUse this_daemon(const FileSystem& fs, std::uint64_t threads) {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const DeviceCalls device = device_calls();
  return {.threads = threads,
          .user_ns = ns_of(usage.ru_utime),
          .system_ns = ns_of(usage.ru_stime),
          .voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw),
          .involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw),
          .max_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024,
          .requests = device.requests,
          .replies_written = device.writes,
          .replies_spliced = device.splices,
          .replies_committed = ring_traffic().replies,
          .proc_calls = fs.proc_calls};
}

MountSnapshot take_snapshot(Passthrough& mount, std::uint64_t threads) {
  return {mount.fs().counts.snapshot(), this_daemon(mount.fs(), threads), mount.fs().uncounted};
}

Report report_between(const MountSnapshot& earlier, const MountSnapshot& now, Passthrough& mount) {
  Report report;
  report.command = "mount";
  report.completeness.lost_by_reason["uncounted_requests"] = now.uncounted - earlier.uncounted;
  MountPart& part = report.mount.emplace();
  part.source = mount.source();
  part.mount_point = mount.target();
  part.cache = cache_name(mount.fs().options.cache);
  part.splice = mount.fs().options.splice;
  part.by_ring = mount.fs().by_ring;
  part.passthrough = mount.fs().backing_files.enabled();
  if (part.passthrough)
    for (const char* figure : {"bytes_read", "bytes_written", "spliced_bytes", "copied_bytes"})
      report.unknown[std::string("fuse.") + figure] =
          "with passthrough the kernel reads and writes the files itself; only operations have the "
          "bytes of the requests that there were";
  part.daemon = now.daemon;
  subtract_figures(part.daemon, earlier.daemon, kDaemonFields);
  RequestCountsSnapshot counts = now.counts;
  counts -= earlier.counts;
  fill_report(report, counts, mount.fs().requesters.processes(), mount.fs().paths);
  return report;
}

void fill_report(Report& report, const RequestCountsSnapshot& snapshot,
                 const std::unordered_map<ProcessId, Process>& identities, const PathTree& paths) {
  Process others;
  for (const auto& [id, operations] : snapshot.processes) {
    const auto identity = identities.find(id);
    Process process = identity == identities.end() ? Process() : identity->second;
    for (const auto& [operation, counts] : operations)
      process.rows.push_back(row_of(operation, counts));
    if (identity == identities.end()) {
      others.rows.insert(others.rows.end(), process.rows.begin(), process.rows.end());
      add_requests(others.requests, operations);
      continue;
    }
    process.requests = operations;
    report.processes.push_back(std::move(process));
  }
  if (!others.rows.empty()) report.others.add({others});
  MountPart& part = *report.mount;
  report.others.processes = part.summed_requesters = snapshot.other_processes;
  for (const auto& [node, operations] : snapshot.files)
    part.files.push_back({paths.path(node), operations});
  std::stable_sort(
      part.files.begin(), part.files.end(),
      [](const FileRequests& a, const FileRequests& b) { return moved_bytes(a) > moved_bytes(b); });
}

void add_mount(Report& report, Report mounted, std::vector<Process> serving) {
  MountPart& part = report.mount.emplace(std::move(*mounted.mount));
  ObservedCalls& observed = part.observed.emplace();
  for (const Process& process : report.processes) add_calls_on_fuse(observed.applications, process);
  add_calls_on_fuse(observed.applications, report.others.sum);
  observed.daemon = sum_of(std::move(serving));

  const ObservedProcesses processes(report.processes);
  for (Process& requester : mounted.processes) {
    if (Process* const process = processes.find(requester)) {
      process->requests = std::move(requester.requests);
    } else {
      requester.rows.clear();
      part.other_requesters.push_back(std::move(requester));
    }
  }
  add_requests(report.others.sum.requests, mounted.others.sum.requests);
  report.completeness.lost_by_reason.merge(mounted.completeness.lost_by_reason);
}

ProcessRequests all_requests(const Report& report) {
  ProcessRequests sum = report.others.sum.requests;
  for (const Process& process : report.processes) add_requests(sum, process.requests);
  if (report.mount)
    for (const Process& process : report.mount->other_requesters)
      add_requests(sum, process.requests);
  return sum;
}

}  // namespace zctrace::fuse
