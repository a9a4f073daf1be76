// SPDX-License-Identifier: MIT
// What is believed of paths, names, and of the texts of /proc.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "collector/fuse/filesystem/file_system.h"
#include "collector/fuse/filesystem/lock_waiters.h"
#include "collector/fuse/filesystem/requester_identity.h"
#include "collector/fuse/mount/detached_mount.h"
#include "collector/fuse/mount/mount_point.h"
#include "collector/fuse/requesters/background_reader.h"
#include "collector/fuse/requesters/mappings.h"
#include "collector/fuse/requesters/read_cause.h"
#include "collector/fuse/requesters/requesters.h"
#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

TEST(PathContainment, WholeComponentsOnly) {
  EXPECT_TRUE(is_within("/a/b", "/a"));
  EXPECT_TRUE(is_within("/a", "/a"));
  EXPECT_TRUE(is_within("/a", "/"));
  EXPECT_FALSE(is_within("/ab", "/a"));
  EXPECT_FALSE(is_within("/a", "/a/b"));
  EXPECT_FALSE(is_within("/b/a", "/a"));
}

TEST(PlainNames, OneComponentThatGoesNowhere) {
  EXPECT_TRUE(is_plain_name("name"));
  EXPECT_TRUE(is_plain_name("..."));
  EXPECT_TRUE(is_plain_name(".hidden"));
  for (const char* name : {"", ".", "..", "a/b", "/", "../x"}) EXPECT_FALSE(is_plain_name(name));
}

TEST(TaskState, FromProcSyscall) {
  const auto line = [](long number) {
    return std::to_string(number) + " 0x3 0x7f 0x0 0x0 0x0 0x0 0x1 0x2\n";
  };
  EXPECT_EQ(state_in("-1 0x7ffd 0x55aa\n"), TaskState::faulting);
  EXPECT_EQ(state_in(line(SYS_read)), TaskState::reading);
  EXPECT_EQ(state_in(line(SYS_sendfile)), TaskState::reading);
  EXPECT_EQ(state_in(line(SYS_madvise)), TaskState::mapping);
  EXPECT_EQ(state_in(line(SYS_write)), TaskState::elsewhere);
  EXPECT_EQ(state_in("running\n"), TaskState::elsewhere);
  EXPECT_EQ(state_in(""), TaskState::elsewhere);
  EXPECT_EQ(state_in("0"), TaskState::elsewhere);
}

TEST(ProcStat, NamesMayHoldAnything) {
  ProcessStat stat;
  ASSERT_TRUE(parse_stat("12 (a) b (c) S 7 1 1 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 99887 1 2\n", stat));
  EXPECT_EQ(stat.name, "a) b (c");
  EXPECT_EQ(stat.parent_pid, 7);
  EXPECT_EQ(stat.start_ticks, 99887u);
  EXPECT_FALSE(parse_stat("", stat));
  EXPECT_FALSE(parse_stat("12 (name) S 7", stat));
}

TEST(ProcStatus, GroupsAreThoseOfTheirLineOnly) {
  EXPECT_EQ(groups_in("Name:\tx\nFDSize:\t64\nGroups:\t4 24 100000 \nNStgid:\t7\n"),
            (std::vector<gid_t>{4, 24, 100000}));
  EXPECT_EQ(groups_in("Name:\tGroups:\t5\nGroups:\t\nNStgid:\t7\n"), std::vector<gid_t>());
  EXPECT_EQ(groups_in(""), std::vector<gid_t>());
}

TEST(Connection, HasTheMinorNumberHoweverLarge) {
  for (const unsigned number : {40U, 255U, 256U, 301U, 70'000U})
    EXPECT_EQ(connection_number(makedev(0, number)), number);
}

TEST(ProcMaps, FindsAFileByDeviceAndNumberOnly) {
  const std::string maps =
      "55d0-55d1 r--p 00000000 fe:00 4711                       /usr/bin/cat\n"
      "7f00-7f01 rw-s 00001000 00:2a 12 /mnt/a file with  fe:00 99 in it\n"
      "7ffe-7fff rw-p 00000000 00:00 0                          [stack]\n";
  EXPECT_TRUE(has_mapping(maps, {makedev(0xfe, 0), 4711}));
  EXPECT_TRUE(has_mapping(maps, {makedev(0, 0x2a), 12}));
  EXPECT_FALSE(has_mapping(maps, {makedev(0xfe, 0), 99}));
  EXPECT_FALSE(has_mapping(maps, {makedev(0xfe, 0), 471}));
  EXPECT_FALSE(has_mapping("", {makedev(0xfe, 0), 471}));
}

TEST(BackgroundReader, WorkIsDoneInOrderAndWhoAsksHasIt) {
  BackgroundReader aside;
  std::string order;
  aside.post([&order] { order += "a"; });
  aside.post([] { throw std::bad_alloc(); });
  EXPECT_TRUE(aside.run([&order] { order += "b"; }, std::chrono::hours(1)));
  EXPECT_EQ(order, "ab");
}

TEST(BackgroundReader, WhatIsHeldUpIsGivenUpAndHoldsUpNobodyElse) {
  std::mutex held;
  std::string order;
  BackgroundReader aside;
  {
    const std::lock_guard lock(held);
    const auto wait = [&] {
      const std::lock_guard until_released(held);
      order += "late";
    };
    EXPECT_FALSE(aside.run(wait, std::chrono::milliseconds(1)));
    // Whatever its patience.
    EXPECT_FALSE(aside.run([&order] { order += "never"; }, std::chrono::hours(1)));
  }
  aside.post([&order] { order += ", then"; });
  while (!aside.run([] {}, std::chrono::hours(1))) std::this_thread::yield();
  EXPECT_EQ(order, "late, then");
}

Descriptor open_proc() { return Descriptor(::open("/proc", O_PATH | O_DIRECTORY)); }

TEST(Requesters, KnowsThisProcessByAnyOfItsThreads) {
  const Descriptor proc = open_proc();
  Requesters requesters(proc.get());
  const ProcessId mine = requesters.process_of(::getpid());
  ProcessId other = 0;
  std::thread([&] {
    other = requesters.process_of(static_cast<pid_t>(::syscall(SYS_gettid)));
  }).join();
  EXPECT_NE(mine, Requesters::kKernel);
  EXPECT_EQ(mine, other);
  const Process process = requesters.processes().at(mine);
  EXPECT_EQ(process.pid, ::getpid());
  EXPECT_EQ(process.parent_pid, ::getppid());
  EXPECT_FALSE(process.argv.empty());
  EXPECT_EQ(requesters.process_of(0), Requesters::kKernel);
}

TEST(Requesters, OfTooManyThoseThatHaveNotAskedForTheLongestAreForgotten) {
  const Descriptor proc = open_proc();
  Requesters requesters(proc.get(), 2);
  std::unordered_set<ProcessId> listed;
  requesters.on_listed_changed([&listed](const auto& processes) { listed = processes; });
  const ProcessId mine = requesters.process_of(::getpid());
  const ProcessId parent = requesters.process_of(::getppid());
  EXPECT_TRUE(listed.empty());
  const ProcessId first = requesters.process_of(1);
  EXPECT_EQ(listed, (std::unordered_set<ProcessId>{Requesters::kKernel, parent}));
  EXPECT_EQ(requesters.processes().size(), 3u);
  EXPECT_EQ(requesters.processes().at(first).pid, 1);
  // It asks again: another number, so that no count of old becomes its own.
  EXPECT_GT(requesters.process_of(::getpid()), first);
  EXPECT_EQ(requesters.pid_of(mine), 0);
  EXPECT_FALSE(requesters.may_inspect(mine));
}

TEST(Requesters, RemembersWhoAskedUntilItHasEndedAndOnlyWhenItIsTold) {
  const Descriptor proc = open_proc();
  Requesters forgetful(proc.get());
  const ProcessId number = forgetful.process_of(::getpid());
  const Process mine = forgetful.processes().at(number);
  EXPECT_FALSE(forgetful.has_sent_request(mine.pid, mine.start_ns));

  Requesters requesters(proc.get(), 2);
  requesters.remember();
  EXPECT_FALSE(requesters.has_sent_request(mine.pid, mine.start_ns));
  for (const pid_t pid : {::getpid(), ::getppid(), 1}) requesters.process_of(pid);
  // Also when it is no longer told listed.
  EXPECT_TRUE(requesters.has_sent_request(mine.pid, mine.start_ns));
  // A later one of the same number has not.
  timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  EXPECT_FALSE(requesters.has_sent_request(
      mine.pid, static_cast<std::uint64_t>(now.tv_sec + 1) * 1'000'000'000ULL));
  requesters.has_ended(mine.pid, mine.start_ns);
  EXPECT_FALSE(requesters.has_sent_request(mine.pid, mine.start_ns));
}

TEST(MountPoint, RefusesWhatCannotWork) {
  EXPECT_THROW(check_mount_point("/nonexistent", "/tmp"), Error);
  EXPECT_THROW(check_mount_point("/dev/null", "/tmp"), Error);
  EXPECT_THROW(check_mount_point("/usr", "/usr/bin"), Error);
  EXPECT_THROW(check_mount_point("/usr/bin", "/usr"), Error);
  EXPECT_THROW(check_mount_point("/usr/bin", "/usr/bin/../bin"), Error);
  EXPECT_THROW(check_mount_point("/usr/bin", "/etc"), Error);
}

class Answer {
 public:
  void give(int error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
    given_.notify_all();
  }
  int wait() {
    std::unique_lock lock(mutex_);
    given_.wait(lock, [this] { return error_ >= 0; });
    return error_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  int error_ = -1;
};

TEST(LockWaiters, TriesUntilItIsFree) {
  LockWaiters waiters;
  Answer answer;
  std::atomic<bool> held{true};
  waiters.add({[&] { return held ? EAGAIN : 0; }, [] { return false; },
               [&](int error) { answer.give(error); }});
  held = false;
  waiters.wake();
  EXPECT_EQ(answer.wait(), 0);
}

TEST(LockWaiters, AnInterruptedOneGetsEintrAndOthersWaitOn) {
  LockWaiters waiters;
  Answer first;
  Answer second;
  std::atomic<bool> interrupted{false};
  std::atomic<bool> held{true};
  waiters.add({[&] { return held ? EAGAIN : 0; }, [&] { return interrupted.load(); },
               [&](int error) { first.give(error); }});
  waiters.add({[&] { return held ? EAGAIN : 0; }, [] { return false; },
               [&](int error) { second.give(error); }});
  interrupted = true;
  waiters.wake();
  EXPECT_EQ(first.wait(), EINTR);
  held = false;
  waiters.wake();
  EXPECT_EQ(second.wait(), 0);
}

TEST(LockWaiters, TheEndAnswersEverybody) {
  Answer answer;
  {
    LockWaiters waiters;
    waiters.add(
        {[] { return EAGAIN; }, [] { return false; }, [&](int error) { answer.give(error); }});
  }
  EXPECT_EQ(answer.wait(), ENOLCK);
}

}  // namespace
}  // namespace zctrace::fuse
