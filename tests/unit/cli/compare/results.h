// SPDX-License-Identifier: MIT
// Comparisons for tests, written by hand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/compare/result.h"
#include "tests/unit/builders.h"

namespace zctrace {

// A row METHOD/64K that was timed `ms` by `ms`, with half of that as CPU time, and counted with one
// syscall that copied `copied` bytes.
inline MethodResult timed(const std::string& method, std::vector<double> ms,
                          std::uint64_t copied = 1 << 20) {
  MethodResult result;
  result.method = method;
  result.buffer = "64K";
  result.buffer_bytes = 64 * 1024;
  result.label = method + "/64K";
  result.verified = true;
  result.bytes = 1 << 20;
  for (const double time : ms) {
    result.wall_ns.push_back(time * 1e6);
    result.user_ns.push_back(0);
    result.system_ns.push_back(time * 0.5e6);
  }
  result.counts = process_of(
      {copied != 0 ? row("read", Kind::file, Kind::user, Copy::copied, 1, copied)
                   : row("sendfile", Kind::file, Kind::socket, Copy::in_kernel, 1, 1 << 20)});
  result.observed_wall_ns = ms.front() * 1e6;
  return result;
}

inline MethodResult unsupported(const std::string& method, const std::string& error) {
  MethodResult result;
  result.method = method;
  result.label = method;
  result.supported = false;
  result.error = error;
  return result;
}

inline CompareResult comparison_of(std::vector<MethodResult> rows, std::string sink = "unix") {
  CompareResult compared;
  compared.host = {"6.1.0", "x86_64", 2};
  compared.source_kind = "disk";
  compared.source_filesystem = "ext4";
  compared.source_bytes = 1 << 20;
  compared.has_reader = sink != "null";
  compared.sink_kind = std::move(sink);
  compared.drain = "a reader that asks for 64K at a time";
  compared.methods = std::move(rows);
  for (const MethodResult& row : compared.methods)
    compared.rounds_done = std::max<unsigned>(compared.rounds_done, row.wall_ns.size());
  compared.runs = compared.rounds_done;
  compared.choose_baseline("");
  return compared;
}

}  // namespace zctrace
