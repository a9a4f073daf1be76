// SPDX-License-Identifier: MIT
// The applications' side, the requests and the daemon's side of a mount.
#include <gtest/gtest.h>

#include "collector/fuse/report/amplification.h"

namespace zctrace {
namespace {

Row row(const char* syscall, Kind from, Kind to, Copy copy, std::uint64_t calls,
        std::uint64_t bytes) {
  Row row;
  row.syscall = syscall;
  row.from = from;
  row.to = to;
  row.copy = copy;
  row.calls = calls;
  row.bytes = bytes;
  row.voluntary_switches = calls / 2;
  return row;
}

TimedCounts requests(std::uint64_t calls, std::uint64_t bytes, std::uint64_t copied) {
  TimedCounts counts;
  counts.calls = calls;
  counts.bytes = bytes;
  counts.copied_bytes = copied;
  counts.spliced_bytes = bytes - copied;
  return counts;
}

TEST(Amplification, ApplicationCallsHaveAFuseFileAtOneEnd) {
  Process process;
  process.rows = {row("read", Kind::fuse, Kind::user, Copy::copied, 10, 1000),
                  row("sendfile", Kind::fuse, Kind::socket, Copy::in_kernel, 4, 600),
                  row("read", Kind::file, Kind::user, Copy::copied, 99, 9999),
                  row("other", Kind::other, Kind::other, Copy::none, 77, 0)};
  process.outside_syscalls.voluntary = 55;
  ObservedCalls observed;
  fuse::add_calls_on_fuse(observed.applications, process);
  const auto all = fuse::amplification_of(observed, {});
  EXPECT_EQ(all.applications.calls, 14U);
  EXPECT_EQ(all.applications.copied_bytes, 1000U);
  EXPECT_EQ(all.applications.in_kernel_bytes, 600U);
  EXPECT_EQ(all.applications.switches.voluntary, 7U);
  EXPECT_EQ(all.bytes, 1600U);
}

TEST(Amplification, PagesOfMappingsAreMovedWithoutCalls) {
  ObservedCalls observed;
  observed.applications.rows = {row("read", Kind::fuse, Kind::user, Copy::copied, 10, 1000)};
  const auto all =
      fuse::amplification_of(observed, {{Operation::read, requests(1, 1000, 1000)},
                                        {Operation::mmap, requests(2, 8192, 0)},
                                        {Operation::writeback, requests(1, 4096, 4096)},
                                        {Operation::open, requests(3, 0, 0)}});
  EXPECT_EQ(all.bytes, 1000U + 8192 + 4096);
  EXPECT_EQ(all.requests.calls, 7U);
  EXPECT_EQ(all.requests.copied_bytes, 5096U);
  EXPECT_EQ(all.requests.in_kernel_bytes, 8192U);
}

TEST(Amplification, IntervalIsADifferenceOfBothSides) {
  ObservedCalls earlier;
  earlier.applications.rows = {row("read", Kind::fuse, Kind::user, Copy::copied, 10, 1000)};
  earlier.daemon.rows = {row("writev", Kind::user, Kind::device, Copy::copied, 5, 500)};
  earlier.lost_by_reason["rows_full"] = 2;
  ObservedCalls later;
  later.applications.rows = {row("read", Kind::fuse, Kind::user, Copy::copied, 14, 1400)};
  later.daemon.rows = {row("writev", Kind::user, Kind::device, Copy::copied, 5, 500),
                       row("splice", Kind::pipe, Kind::device, Copy::in_kernel, 3, 300)};
  later.lost_by_reason["rows_full"] = 3;
  const ObservedCalls between = difference(later, earlier);
  EXPECT_EQ(between.applications.syscalls(), 4U);
  EXPECT_EQ(between.daemon.syscalls(), 3U);
  ASSERT_EQ(between.daemon.rows.size(), 1U);
  EXPECT_EQ(between.lost_by_reason.at("rows_full"), 1U);
}

}  // namespace
}  // namespace zctrace
