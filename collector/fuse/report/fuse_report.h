// SPDX-License-Identifier: MIT
// Makes the report of a mount: the processes that used it with their requests, and the part that
// only a mount has.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "collector/fuse/counts/path_tree.h"
#include "collector/fuse/counts/request_counts.h"
#include "collector/model/report.h"

namespace zctrace::fuse {

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
//
// Rows are named "fuse:read" and so on. A request is not a syscall of the process that caused it,
// so all rows are asynchronous: they move bytes but count no user/kernel crossing.
Report report_between(const MountSnapshot& earlier, const MountSnapshot& now, Passthrough& mount);

// Fills processes and files. Processes without an entry in `identities` are added to the other
// processes. Requires report.mount.
void fill_report(Report& report, const RequestCountsSnapshot& snapshot,
                 const std::unordered_map<ProcessId, Process>& identities, const PathTree& paths);

// Adds `mounted`, from report_between(), to the report of a session that observed the processes
// which use the mount: each of them gets its requests. `serving` are the daemon's threads as the
// session observed them.
void add_mount(Report& report, Report mounted, std::vector<Process> serving);

// The requests of all processes, the other processes included.
ProcessRequests all_requests(const Report& report);

}  // namespace zctrace::fuse
