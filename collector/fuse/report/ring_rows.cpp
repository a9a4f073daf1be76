// SPDX-License-Identifier: MIT
// Rows of a kind that no probe counts.
#include "collector/fuse/report/ring_rows.h"

namespace zctrace::fuse {
namespace {

Row row_of(const char* name, Kind from, Kind to, std::uint64_t count, std::uint64_t bytes) {
  Row row;
  row.syscall = name;
  row.from = from;
  row.to = to;
  row.copy = Copy::copied;
  row.asynchronous = true;
  row.calls = count;
  row.bytes = bytes;
  row.cpu_copied_bytes = bytes;
  return row;
}

}  // namespace

void add_ring_rows(Process& daemon, const RingTraffic& traffic) {
  if (traffic.requests == 0 && traffic.replies == 0) return;
  daemon.rows.push_back(row_of("io_uring:fuse_request", Kind::device, Kind::user, traffic.requests,
                               traffic.request_bytes));
  daemon.rows.push_back(row_of("io_uring:fuse_reply", Kind::user, Kind::device, traffic.replies,
                               traffic.reply_bytes));
}

}  // namespace zctrace::fuse
