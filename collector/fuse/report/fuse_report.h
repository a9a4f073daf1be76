// SPDX-License-Identifier: MIT
// The report of a mount: the Report of the processes that used it, and what only the file system
// knows. Plain values, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/fuse/counts/path_tree.h"
#include "collector/fuse/counts/request_counts.h"
#include "collector/fuse/counts/usage.h"
#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/report/amplification.h"
#include "collector/model/report.h"

namespace zctrace::fuse {

struct FileUse {
  std::string path;  // from the root of the mount
  ByOperation<OperationCounts> operations;
};

// The daemon's own cost.
struct DaemonUse {
  std::uint64_t threads = 0;
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t max_rss_bytes = 0;
  DeviceCalls device;
  // reads of /proc that identify requesters and causes; by serving threads only
  std::uint64_t proc_calls = 0;

  DaemonUse& operator-=(const DaemonUse& earlier);
};

struct FuseReport {
  // Rows are named "fuse:read" and so on. A request is not a syscall of the process that caused it,
  // so all rows are asynchronous: they move bytes but count no user/kernel crossing.
  Report report;
  // Of report.processes, in the same order.
  std::vector<ByOperation<TimedCounts>> requests;
  ByOperation<TimedCounts> other_requests;  // of report.others
  std::vector<FileUse> files;               // the files with the most bytes come first
  DaemonUse daemon;
  std::optional<ObservedCalls> observed;  // absent: without BPF
  std::string source;
  std::string mount_point;
  std::string cache;
  bool splice = true;
};

class FileSystem;
class Passthrough;

// What this process, which serves `fs`, has used since it started.
DaemonUse this_daemon(const FileSystem& fs, std::uint64_t threads);

// Everything that was counted so far. One snapshot ends an interval and begins the next: with two,
// requests counted between them would be in neither interval.
struct MountSnapshot {
  RequestCountsSnapshot counts;
  DaemonUse daemon;
  std::uint64_t uncounted = 0;
};
// `threads` is the daemon's number of threads, which may have ended.
MountSnapshot take_snapshot(Passthrough& mount, std::uint64_t threads);

// The requests between two snapshots. The caller fills in host, command line and times.
FuseReport report_between(const MountSnapshot& earlier, const MountSnapshot& now,
                          Passthrough& mount);

// Fills processes, requests and files. Processes without an entry in `identities` are added to the
// other processes.
void fill_report(FuseReport& into, const RequestCountsSnapshot& snapshot,
                 const std::unordered_map<ProcessId, Process>& identities, const PathTree& paths);

// The requests of all processes, the other processes included.
ByOperation<TimedCounts> all_requests(const FuseReport& report);

}  // namespace zctrace::fuse
