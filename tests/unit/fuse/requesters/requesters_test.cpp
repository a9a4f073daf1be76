// SPDX-License-Identifier: MIT
// Processes behind thread IDs: numbering, forgetting, remembering.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>
#include <string>
#include <thread>
#include <unordered_set>

#include "collector/fuse/requesters/requesters.h"

namespace zctrace::fuse {
namespace {

TEST(ProcStat, AcceptsAnyCharacterInNames) {
  ProcessStat stat;
  ASSERT_TRUE(parse_stat("12 (a) b (c) S 7 1 1 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 99887 1 2\n", stat));
  EXPECT_EQ(stat.name, "a) b (c");
  EXPECT_EQ(stat.parent_pid, 7);
  EXPECT_EQ(stat.start_ticks, 99887u);
  EXPECT_FALSE(parse_stat("", stat));
  EXPECT_FALSE(parse_stat("12 (name) S 7", stat));
}

TEST(Requesters, FindsTheProcessOfAnyOfItsThreads) {
  Requesters requesters;
  const ProcessId mine = requesters.process_of(::getpid());
  ProcessId other = 0;
  std::thread([&] {
    other = requesters.process_of(static_cast<pid_t>(::syscall(SYS_gettid)));
  }).join();
  EXPECT_NE(mine, Requesters::kKernel);
  EXPECT_EQ(mine, other);
  Process process = requesters.processes().at(mine);
  // On a busy machine the rest comes after the first request was answered.
  for (int tries = 0; process.argv.empty() && tries < 10000; tries++) {
    ::usleep(1000);
    process = requesters.processes().at(mine);
  }
  EXPECT_EQ(process.pid, ::getpid());
  EXPECT_EQ(process.parent_pid, ::getppid());
  EXPECT_FALSE(process.argv.empty());
  EXPECT_EQ(requesters.process_of(0), Requesters::kKernel);
}

TEST(Requesters, ForgetsTheLongestIdleWhenThereAreTooMany) {
  Requesters requesters(2);
  std::unordered_set<ProcessId> listed;
  requesters.on_listed_changed([&listed](const auto& processes) { listed = processes; });
  const ProcessId mine = requesters.process_of(::getpid());
  const ProcessId parent = requesters.process_of(::getppid());
  EXPECT_TRUE(listed.empty());
  const ProcessId first = requesters.process_of(1);
  EXPECT_EQ(listed, (std::unordered_set<ProcessId>{Requesters::kKernel, parent}));
  EXPECT_EQ(requesters.processes().size(), 3u);
  EXPECT_EQ(requesters.processes().at(first).pid, 1);
  // A returning process gets another number, so that no old count becomes its own.
  EXPECT_GT(requesters.process_of(::getpid()), first);
  EXPECT_EQ(requesters.pid_of(mine), 0);
  EXPECT_FALSE(requesters.may_inspect(mine));
}

TEST(Requesters, RemembersRequestersUntilTheyEndIfAsked) {
  Requesters forgetful;
  const ProcessId number = forgetful.process_of(::getpid());
  const Process mine = forgetful.processes().at(number);
  EXPECT_FALSE(forgetful.has_sent_request(mine.pid, mine.start_ns));

  Requesters requesters(2);
  requesters.remember();
  EXPECT_FALSE(requesters.has_sent_request(mine.pid, mine.start_ns));
  for (const pid_t pid : {::getpid(), ::getppid(), 1}) requesters.process_of(pid);
  // Also when it is no longer listed.
  EXPECT_TRUE(requesters.has_sent_request(mine.pid, mine.start_ns));
  // A later process with the same PID is not remembered.
  timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  EXPECT_FALSE(requesters.has_sent_request(
      mine.pid, static_cast<std::uint64_t>(now.tv_sec + 1) * 1'000'000'000ULL));
  requesters.has_ended(mine.pid, mine.start_ns);
  EXPECT_FALSE(requesters.has_sent_request(mine.pid, mine.start_ns));
}

}  // namespace
}  // namespace zctrace::fuse
