// SPDX-License-Identifier: MIT
// A report of requests of a process and of the kernel on one file, whose name is hostile.
#pragma once

#include <unordered_map>

#include "collector/fuse/report/fuse_report.h"

namespace zctrace::fuse {

inline Report sample_report() {
  RequestCounts counts;
  PathTree paths(100);
  const auto file = paths.child(PathTree::kRoot, "evil\x1b[31m");
  counts.add(1, file, {Operation::read, 0, 100, BytePath::spliced, 1000});
  counts.add(1, file, {Operation::mmap, 0, 30, BytePath::copied, 1000});
  counts.add(1, file, {Operation::write, 0, 9, BytePath::copied, 1000});
  counts.add(0, file, {Operation::writeback, 0, 4, BytePath::spliced, 1000});
  counts.add(1, file, {Operation::copy_file_range, 0, 70, BytePath::in_kernel, 1000});
  std::unordered_map<ProcessId, Process> identities = {{0, {}}, {1, {}}};
  identities[1].pid = 42;
  identities[1].name = "reader\n";
  Report report;
  report.command = "mount";
  report.mount.emplace().cache = "auto";
  report.mount->mount_point = "/mnt/point";
  fill_report(report, counts.snapshot(), identities, paths);
  return report;
}

}  // namespace zctrace::fuse
