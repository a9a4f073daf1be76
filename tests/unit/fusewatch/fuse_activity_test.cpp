// SPDX-License-Identifier: MIT
// Sums and differences of what was watched.
#include "collector/fusewatch/fuse_activity.h"

#include <gtest/gtest.h>

namespace zctrace::fusewatch {
namespace {

constexpr std::uint32_t kRead = 15;
constexpr std::uint32_t kLookup = 1;

OpcodeCounts counts(std::uint64_t requests, std::uint64_t ns_each, std::size_t bucket) {
  OpcodeCounts counts;
  counts.sent = counts.answered = counts.timed = requests;
  counts.bytes = requests * 4096;
  counts.wall_ns = requests * ns_each;
  counts.max_ns = ns_each;
  counts.latency.add(bucket, requests);
  return counts;
}

FuseConnections one_connection() {
  FuseConnection connection;
  connection.device = "0:57";
  connection.sent = 11;
  connection.waiting_sum = 13;
  connection.operations[kRead] = counts(7, 100, 3);
  connection.operations[kLookup] = counts(4, 50, 1);
  connection.operations[kLookup].errors = 2;
  connection.operations[kLookup].errors_by = {{2, 2}};
  RequesterCounts dd;
  dd.name = "dd";
  dd.sent = dd.answered = 11;
  dd.read_bytes = 7 * 4096;
  dd.by_opcode = {{kRead, 7}, {kLookup, 4}};
  connection.requesters[{5, 42}] = dd;
  return {{1, connection}};
}

TEST(FuseActivity, TotalAddsUpAllOperations) {
  FuseConnection connection = one_connection().at(1);
  connection.operations[kRead].in_flight = 2;
  connection.operations[kRead].oldest_ns = 9;
  const OpcodeCounts total = connection.total();
  EXPECT_EQ(total.answered, 11U);
  EXPECT_EQ(total.bytes, 11U * 4096);
  EXPECT_EQ(total.max_ns, 100U);
  EXPECT_EQ(total.latency.total(), 11U);
  EXPECT_EQ(total.errors_by, (std::map<unsigned, std::uint64_t>{{2, 2}}));
  EXPECT_EQ(total.in_flight, 2U);
  EXPECT_EQ(total.oldest_ns, 9U);
}

TEST(FuseActivity, DifferenceLeavesOutWhatDidNothing) {
  const FuseConnections before = one_connection();
  FuseConnections now = before;
  FuseConnection& connection = now.at(1);
  connection.sent += 3;
  connection.operations[kRead] = counts(10, 100, 3);
  connection.requesters[{5, 42}].answered += 3;
  connection.requesters[{5, 42}].sent += 3;
  connection.requesters[{5, 42}].by_opcode[kRead] += 3;
  const FuseConnection between = difference(now, before).at(1);
  EXPECT_EQ(between.sent, 3U);
  EXPECT_EQ(between.waiting_sum, 0U);
  ASSERT_EQ(between.operations.size(), 1U);
  const OpcodeCounts& read = between.operations.at(kRead);
  EXPECT_EQ(read.answered, 3U);
  EXPECT_EQ(read.latency.count(3), 3U);
  // There was no new maximum: all that is known is the bucket.
  EXPECT_TRUE(read.max_is_bound);
  EXPECT_EQ(read.max_ns, 100U);
  EXPECT_EQ(between.requesters.at({5, 42}).by_opcode,
            (std::map<std::uint32_t, std::uint64_t>{{kRead, 3}}));
}

TEST(FuseActivity, DifferenceKeepsWhatWaits) {
  FuseConnections now = one_connection();
  const FuseConnections before = now;
  now.at(1).operations[kRead].in_flight = 1;
  EXPECT_EQ(difference(now, before).at(1).operations.count(kRead), 1U);
  EXPECT_FALSE(difference(now, before).at(1).is_idle());
  EXPECT_TRUE(difference(before, before).at(1).is_idle());
}

TEST(FuseActivity, ANewMaximumIsExact) {
  const FuseConnections before = one_connection();
  FuseConnections now = before;
  now.at(1).operations[kRead].max_ns = 7000;
  now.at(1).operations[kRead].answered++;
  now.at(1).operations[kRead].latency.add(15, 1);
  const OpcodeCounts read = difference(now, before).at(1).operations.at(kRead);
  EXPECT_FALSE(read.max_is_bound);
  EXPECT_EQ(read.max_ns, 7000U);
}

TEST(FuseActivity, AConnectionWithoutAnEarlierOneIsWhole) {
  const FuseConnection between = difference(one_connection(), {}).at(1);
  EXPECT_EQ(between.sent, 11U);
  EXPECT_EQ(between.operations.at(kLookup).errors, 2U);
}

}  // namespace
}  // namespace zctrace::fusewatch
