// SPDX-License-Identifier: MIT
// Turns counts by process number into rows with names.
#include "collector/fuse/report/fuse_report.h"

#include <sys/resource.h>

#include <algorithm>

#include "collector/fuse/mount/passthrough.h"

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

}  // namespace

DaemonUse& DaemonUse::operator-=(const DaemonUse& earlier) {
  user_ns -= earlier.user_ns;
  system_ns -= earlier.system_ns;
  voluntary_switches -= earlier.voluntary_switches;
  involuntary_switches -= earlier.involuntary_switches;
  device.requests -= earlier.device.requests;
  device.writes -= earlier.device.writes;
  device.splices -= earlier.device.splices;
  proc_calls -= earlier.proc_calls;
  return *this;
}

DaemonUse this_daemon(const FileSystem& fs, std::uint64_t threads) {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return {threads,
          ns_of(usage.ru_utime),
          ns_of(usage.ru_stime),
          static_cast<std::uint64_t>(usage.ru_nvcsw),
          static_cast<std::uint64_t>(usage.ru_nivcsw),
          static_cast<std::uint64_t>(usage.ru_maxrss) * 1024,
          device_calls(),
          fs.proc_calls};
}

MountSnapshot take_snapshot(Passthrough& mount, std::uint64_t threads) {
  return {mount.fs().counts.snapshot(), this_daemon(mount.fs(), threads), mount.fs().uncounted};
}

FuseReport report_between(const MountSnapshot& earlier, const MountSnapshot& now,
                          Passthrough& mount) {
  FuseReport seen;
  seen.report.command = "mount";
  seen.report.completeness.lost_by_reason["uncounted_requests"] = now.uncounted - earlier.uncounted;
  seen.source = mount.source();
  seen.mount_point = mount.target();
  seen.cache = cache_name(mount.fs().options.cache);
  seen.splice = mount.fs().options.splice;
  seen.daemon = now.daemon;
  seen.daemon -= earlier.daemon;
  RequestCountsSnapshot counts = now.counts;
  counts -= earlier.counts;
  fill_report(seen, counts, mount.fs().requesters.processes(), mount.fs().paths);
  return seen;
}

void fill_report(FuseReport& into, const RequestCountsSnapshot& snapshot,
                 const std::unordered_map<ProcessId, Process>& identities, const PathTree& paths) {
  Process others;
  for (const auto& [id, operations] : snapshot.processes) {
    const auto requester = identities.find(id);
    if (requester == identities.end()) {
      for (const auto& [operation, counts] : operations) {
        others.rows.push_back(row_of(operation, counts));
        into.other_requests[operation] += counts;
        into.other_requests[operation].latency += counts.latency;
      }
      continue;
    }
    Process process = requester->second;
    for (const auto& [operation, counts] : operations)
      process.rows.push_back(row_of(operation, counts));
    into.report.processes.push_back(std::move(process));
    into.requests.push_back(operations);
  }
  if (!others.rows.empty()) into.report.others.add({others});
  into.report.others.processes = snapshot.other_processes;
  for (const auto& [node, operations] : snapshot.files)
    into.files.push_back({paths.path(node), operations});
  const auto bytes = [](const FileUse& file) {
    const Usage usage = usage_of(file.operations);
    return usage.bytes_read + usage.bytes_written;
  };
  std::stable_sort(into.files.begin(), into.files.end(),
                   [&](const FileUse& a, const FileUse& b) { return bytes(a) > bytes(b); });
}

ByOperation<TimedCounts> all_requests(const FuseReport& report) {
  ByOperation<TimedCounts> sum = report.other_requests;
  for (const auto& process : report.requests) {
    for (const auto& [operation, counts] : process) {
      sum[operation] += counts;
      sum[operation].latency += counts.latency;
    }
  }
  return sum;
}

}  // namespace zctrace::fuse
