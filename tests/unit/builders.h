// SPDX-License-Identifier: MIT
// Rows, processes and reports for tests, written by hand.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

inline Row row(std::string syscall, Kind from, Kind to, Copy copy, std::uint64_t calls,
               std::uint64_t bytes) {
  Row row;
  row.syscall = std::move(syscall);
  row.from = from;
  row.to = to;
  row.copy = copy;
  row.calls = calls;
  row.bytes = bytes;
  MovedBytes moved{from, to, copy};
  moved.bytes = bytes;
  moved.is_clone = row.syscall.starts_with("ioctl:");
  const CopyCount copies = count_copies(moved);
  row.cpu_copied_bytes = copies.bytes;
  row.uncopied_bytes = copies.uncopied;
  const auto has_disk = [](Kind kind) {
    return kind == Kind::file || kind == Kind::fuse || kind == Kind::device;
  };
  if (has_disk(from) || has_disk(to)) row.charges = Charges::measured;
  return row;
}

inline Process process_of(std::vector<Row> rows, std::int64_t pid = 7) {
  Process process;
  process.pid = pid;
  process.rows = std::move(rows);
  return process;
}

inline Process ended(Process process) {
  process.end_ns = 9;
  return process;
}

inline Report report_of(std::vector<Process> processes) {
  Report report;
  report.processes = std::move(processes);
  return report;
}

}  // namespace zctrace
