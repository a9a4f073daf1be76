// SPDX-License-Identifier: MIT
// What a mount ends in: the Report of the processes that used it, and what a file system
// knows beyond it. Plain values, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/fuse/counts/path_tree.h"
#include "collector/fuse/counts/request_counts.h"
#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/report/amplification.h"
#include "collector/model/report.h"

namespace zctrace::fuse {

// What is said of a file, a process, or all together.
struct Usage {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t bytes_read = 0;     // read, mmap, read_or_mmap
  std::uint64_t bytes_written = 0;  // write, writeback, copy_file_range
  std::uint64_t spliced_bytes = 0;  // of both, through pipes of the daemon
  std::uint64_t copied_bytes = 0;   // of both, through memory of the daemon

  Usage& operator+=(const Usage& other);
  Usage& operator-=(const Usage& earlier);
};

Usage usage_of(const ByOperation<OperationCounts>& operations);
Usage usage_of(const ByOperation<TimedCounts>& operations);

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
  std::uint64_t proc_calls = 0;  // to know who asks, and why; threads that serve only

  DaemonUse& operator-=(const DaemonUse& earlier);
};

struct FuseReport {
  // Rows are named "fuse:read" and so on. A request is no syscall of whoever caused it, so all
  // are asynchronous: they move bytes and cross nothing.
  Report report;
  // Of report.processes, in the same order.
  std::vector<ByOperation<TimedCounts>> requests;
  ByOperation<TimedCounts> other_requests;  // of report.others
  std::vector<FileUse> files;               // those that moved the most bytes first
  DaemonUse daemon;
  std::optional<Observed> observed;  // absent: without BPF
  std::string source;
  std::string mount_point;
  std::string cache;
  bool splice = true;
};

class FileSystem;
class Passthrough;

// What this process, which serves `fs`, has used since it began.
DaemonUse this_daemon(const FileSystem& fs, std::uint64_t threads);

// All that was counted so far. One reading ends an interval and begins the next: of two, what is
// counted between them would be in neither.
struct Reading {
  AccountsSnapshot counts;
  DaemonUse daemon;
  std::uint64_t uncounted = 0;
};
// `threads`: of the daemon, which may have ended.
Reading read_now(Passthrough& mount, std::uint64_t threads);

// What was asked between two readings. Host, command line and times are the caller's to fill in.
FuseReport seen_between(const Reading& earlier, const Reading& now, Passthrough& mount);

// Fills processes, requests and files. Who has no identity is one of the others.
void fill_report(FuseReport& into, const AccountsSnapshot& snapshot,
                 const std::unordered_map<ProcessId, Process>& identities, const PathTree& paths);

// All processes' requests together.
ByOperation<TimedCounts> all_requests(const FuseReport& report);

}  // namespace zctrace::fuse
