// SPDX-License-Identifier: MIT
// What `zctrace fuse` prints.
#include "cli/views/fuse/fuse_view.h"

#include <gtest/gtest.h>

#include <string>

namespace zctrace {
namespace {

using fusewatch::FuseActivity;
using fusewatch::FuseConnection;
using fusewatch::OpcodeCounts;
using fusewatch::RequesterCounts;
using fusewatch::RequesterKind;

FuseActivity sample() {
  FuseActivity activity;
  activity.host = {"6.18.1", "x86_64", 2};
  activity.argv = {"zctrace", "fuse"};
  activity.started_at = "2026-01-02T03:04:05.678Z";
  activity.duration_ns = 2'000'000'000;
  FuseConnection connection;
  connection.device = "0:57";
  connection.mount_points = {"/mnt/\x1b[31mevil"};
  connection.type = "fuse.sshfs";
  connection.server_pid = 77;
  connection.server_name = "ssh\x1b[fs";
  connection.sent = 4;
  connection.waiting_sum = 6;
  connection.waiting_max = 3;
  OpcodeCounts& read = connection.operations[15];
  read.sent = 4;
  read.answered = read.timed = 3;
  read.bytes = 12288;
  read.wall_ns = 3000;
  read.max_ns = 1500;
  read.latency.add(11, 3);
  read.errors = 1;
  read.errors_by = {{5, 1}};
  read.in_flight = 1;
  read.oldest_ns = 12'300'000'000;
  RequesterCounts evil;
  evil.pid = 42;
  evil.name = "ev\x1b[2Jil";
  evil.sent = evil.answered = 3;
  evil.by_opcode = {{15, 3}};
  connection.requesters[{1, 42}] = evil;
  RequesterCounts kernel;
  kernel.kind = RequesterKind::kernel;
  kernel.sent = 1;
  connection.requesters[{0, 0}] = kernel;
  activity.connections[1] = connection;
  activity.idle_mounts = {"/mnt/idle"};
  return activity;
}

TEST(FuseView, EscapesNames) {
  const FuseActivity activity = sample();
  for (const std::string& text :
       {fuse_table(activity, {}), fuse_markdown(activity), fuse_csv(activity)}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
    EXPECT_NE(text.find("evil"), std::string::npos) << text;
  }
}

TEST(FuseView, SaysWhatWaitsAndForHowLong) {
  const std::string table = fuse_table(sample(), {});
  EXPECT_NE(table.find("1 request has no answer yet, the oldest for 12.3 s"), std::string::npos)
      << table;
  EXPECT_NE(table.find("1 error, EIO 1"), std::string::npos) << table;
  EXPECT_NE(table.find("1.5 unanswered on average when one is sent, at most 3"), std::string::npos)
      << table;
  EXPECT_NE(table.find("(kernel)"), std::string::npos) << table;
  EXPECT_NE(table.find("/mnt/idle"), std::string::npos) << table;
}

TEST(FuseView, JsonHasTheSameCounts) {
  const auto json = fuse_json(sample());
  const auto& connection = json["connections"][0];
  EXPECT_EQ(connection["totals"]["errors_by"]["EIO"], 1);
  EXPECT_EQ(connection["operations"][0]["operation"], "read");
  EXPECT_EQ(connection["operations"][0]["latency_ns"]["mean"], 1000);
  EXPECT_EQ(connection["operations"][0]["oldest_in_flight_ns"], 12'300'000'000);
  EXPECT_EQ(connection["queue"]["mean_when_sent"], 1.5);
  EXPECT_EQ(connection["requesters"][0]["kind"], "kernel");
  EXPECT_TRUE(connection["requesters"][0]["name"].is_null());
  EXPECT_EQ(connection["requesters"][1]["operations"]["read"], 3);
  EXPECT_EQ(json["idle_mounts"][0], "/mnt/idle");
  EXPECT_EQ(json["completeness"]["lost_requests"], 0);
}

TEST(FuseView, FitsTheTerminal) {
  TableStyle style;
  style.width = 60;
  const std::string table = fuse_table(sample(), style);
  std::size_t begin = 0;
  for (std::size_t end = table.find('\n'); end != std::string::npos;
       begin = end + 1, end = table.find('\n', begin))
    EXPECT_LE(end - begin, 60U) << table.substr(begin, end - begin);
}

TEST(FuseView, NamesEachLoss) {
  FuseActivity activity = sample();
  activity.losses.flights = 7;
  const std::string table = fuse_table(activity, {});
  EXPECT_NE(table.find("LOST"), std::string::npos) << table;
  EXPECT_NE(table.find("7 requests counted without a time and a process"), std::string::npos)
      << table;
  EXPECT_EQ(fuse_json(activity)["completeness"]["untimed_requests"], 7);
}

TEST(FuseView, SaysThatThereWasNothing) {
  FuseActivity activity = sample();
  activity.connections.clear();
  EXPECT_NE(fuse_table(activity, {}).find("no request was sent to a FUSE or virtiofs mount"),
            std::string::npos);
}

}  // namespace
}  // namespace zctrace
