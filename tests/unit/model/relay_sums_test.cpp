// SPDX-License-Identifier: MIT
// Relays of processes that are not listed.
#include "collector/model/relay_sums.h"

#include <gtest/gtest.h>

#include "tests/unit/builders.h"

namespace zctrace {
namespace {

Relay relay_of(std::uint64_t file, std::uint64_t bytes, std::string write = "write") {
  return {{"read", Kind::file, Protocol::none, {file, 1, 0}},
          {std::move(write), Kind::pipe, Protocol::none, {file + 1, 2, 0}},
          bytes,
          3,
          5};
}

TEST(RelaySums, AreByCallsAndKindsNotByChannels) {
  std::vector<Relay> sum;
  add_relays(sum, {relay_of(1, 100), relay_of(2, 20), relay_of(3, 3, "writev")});
  add_relays(sum, {relay_of(4, 1000)});
  ASSERT_EQ(sum.size(), 2u);
  EXPECT_EQ(sum[0].bytes, 1120u);
  EXPECT_EQ(sum[0].reads, 9u);
  EXPECT_EQ(sum[0].writes, 15u);
  EXPECT_FALSE(sum[0].from.channel);
  EXPECT_EQ(sum[1].bytes, 3u);
}

TEST(RelaySums, KeepAppendingSinksApart) {
  std::vector<Relay> sum;
  Relay appending = relay_of(1, 7);
  appending.appends = true;
  add_relays(sum, {relay_of(1, 100), appending});
  EXPECT_EQ(sum.size(), 2u);
}

TEST(RelaySums, LoseWhatWasThereBefore) {
  std::vector<Relay> sum;
  add_relays(sum, {relay_of(1, 100), relay_of(1, 5, "writev")});
  subtract_relays(sum, {relay_of(9, 30), relay_of(9, 50, "writev"), relay_of(9, 1, "sendto")});
  ASSERT_EQ(sum.size(), 1u);
  EXPECT_EQ(sum[0].bytes, 70u);
}

TEST(RelaySums, OfAnIntervalLeaveOutWhatAProcessDidBeforeItJoinedTheOthers) {
  Process running = process_of({row("read", Kind::file, Kind::user, Copy::copied, 1, 100)});
  running.account = 5;
  running.relays = {relay_of(1, 100)};
  const Report earlier = report_of({running});
  Report later = report_of({});
  later.others.processes = 1;
  later.others.sum.rows = {row("read", Kind::file, Kind::user, Copy::copied, 2, 140)};
  add_relays(later.others.sum.relays, {relay_of(1, 140)});
  const Report between = difference(later, earlier);
  ASSERT_EQ(between.others.sum.relays.size(), 1u);
  EXPECT_EQ(between.others.sum.relays[0].bytes, 40u);
}

}  // namespace
}  // namespace zctrace
