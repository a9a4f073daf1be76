// SPDX-License-Identifier: MIT
// One pipe at a time: what its filler delivered, and what it took out again.
#include "collector/observe/pipe_ledger.h"

#include <gtest/gtest.h>

namespace zctrace {
namespace {

constexpr PipeLedger::ProcessInstance kProcess = {42, 1000};
constexpr PipeLedger::ProcessInstance kOther = {43, 1001};
constexpr std::uint64_t kPipe = 7;

class PipeLedgerTest : public ::testing::Test {
 protected:
  static zc_pipe_bytes put(std::uint64_t copied, std::uint64_t moved) {
    zc_pipe_bytes bytes{};
    bytes.put_copied = copied;
    bytes.put_moved = moved;
    return bytes;
  }
  static zc_pipe_bytes taken(std::uint64_t copied, std::uint64_t moved) {
    zc_pipe_bytes bytes{};
    bytes.taken_copied = copied;
    bytes.taken_moved = moved;
    return bytes;
  }
  void expect(std::uint64_t account, std::uint64_t bytes, std::uint64_t in_kernel,
              std::uint64_t from_user = 0) {
    const PipeLedger::FromPipes delivered = ledger_.delivered(account);
    EXPECT_EQ(delivered.bytes, bytes);
    EXPECT_EQ(delivered.in_kernel, in_kernel);
    EXPECT_EQ(delivered.spliced_from_user, from_user);
  }
  void update(bool ended = false) {
    ledger_.update([ended](PipeLedger::ProcessInstance) { return ended; });
  }
  PipeLedger ledger_;
};

TEST_F(PipeLedgerTest, DeliversWhatAnotherProcessTakes) {
  ledger_.raise(kProcess, 1, kPipe, put(300, 500), false);
  ledger_.raise(kOther, 2, kPipe, taken(0, 800), false);
  update();
  expect(1, 800, 500);
  expect(2, 0, 0);
}

TEST_F(PipeLedgerTest, DeliversNothingThatTheProcessTakesItself) {
  zc_pipe_bytes both = put(0, 500);
  both.taken_moved = 500;
  ledger_.raise(kProcess, 1, kPipe, both, false);
  update();
  expect(1, 0, 0);
}

TEST_F(PipeLedgerTest, DistinguishesPipes) {
  ledger_.raise(kProcess, 1, 7, taken(0, 500), false);
  ledger_.raise(kProcess, 1, 8, put(0, 500), false);
  update();
  expect(1, 500, 500);
}

TEST_F(PipeLedgerTest, BytesInAPipeThatTheProcessDrainsAreOnTheirWayUntilItEnds) {
  zc_pipe_bytes both = put(0, 500);
  both.taken_moved = 300;
  ledger_.raise(kProcess, 1, kPipe, both, true);
  update();
  expect(1, 0, 0);
  update(true);
  expect(1, 200, 200);
}

TEST_F(PipeLedgerTest, BytesWrittenAndSplicedOutWereInUserSpace) {
  zc_pipe_bytes both = put(500, 0);
  both.taken_moved = 500;
  ledger_.raise(kProcess, 1, kPipe, both, false);
  update();
  expect(1, 0, 0, 500);
}

TEST_F(PipeLedgerTest, ThreadsWithAccountsOfTheirOwnAreOneProcess) {
  ledger_.raise(kProcess, 1, kPipe, put(0, 500), false);
  ledger_.raise(kProcess, 2, kPipe, taken(0, 500), false);
  update();
  expect(1, 0, 0);
  ledger_.forget(1);
  update(true);
  expect(1, 0, 0);
}

TEST_F(PipeLedgerTest, NoCountDecreases) {
  ledger_.raise(kProcess, 1, kPipe, put(300, 500), false);
  ledger_.raise(kProcess, 1, kPipe, put(200, 600), false);
  update();
  expect(1, 900, 600);
}

TEST_F(PipeLedgerTest, WhatAnIdlePipeDeliveredStaysWhenItIsRetired) {
  ledger_.raise(kProcess, 1, kPipe, put(300, 500), false);
  ledger_.raise(kProcess, 1, 8, put(10, 0), true);
  for (int i = 0; i < 3; i++) {
    ledger_.raise(kProcess, 1, 8, put(10, 0), true);
    update();
  }
  const std::vector<PipeLedger::IdlePipe> idle = ledger_.idle(3);
  ASSERT_EQ(idle.size(), 1u);
  EXPECT_EQ(idle[0].pipe, kPipe);
  EXPECT_EQ(idle[0].accounts, std::vector<std::uint64_t>{1});
  ledger_.retire(idle[0]);
  update();
  expect(1, 810, 500);
  // The kernel's count begins anew.
  ledger_.raise(kProcess, 1, kPipe, put(5, 0), false);
  update();
  expect(1, 815, 500);
}

}  // namespace
}  // namespace zctrace
