// SPDX-License-Identifier: MIT
// A run: its gate, its window, its drain, and everything that may die during it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "collector/os/child.h"
#include "collector/os/exit_status.h"
#include "tests/unit/os/own_children.h"
#include "transfers/run.h"
#include "transfers/shared_record.h"
#include "transfers/workspace.h"

namespace zctrace::transfers {
namespace {

constexpr std::uint64_t kBytes = 3'000'017;

std::vector<ExpectedCalls> nothing_expected(const Workload&) { return {}; }

Method test_method(Moved (*move)(const Transfer&, Workspace&)) {
  return {.name = "test", .summary = "", .move = move, .expected = nothing_expected};
}

struct Window {
  int opened;
  int closed;
  bool open_during_move;
};
SharedRecord<Window>* window_of_test = nullptr;

TEST(TransferRun, OpensTheWindowAroundTheMoveOnly) {
  SharedRecord<Window> window;
  window_of_test = &window;
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved {
    Window& seen = *window_of_test->get();
    seen.open_during_move = seen.opened == 1 && seen.closed == 0;
    return {};
  });
  TransferOptions options;
  options.window_open = [](void* context) { ++static_cast<Window*>(context)->opened; };
  options.window_close = [](void* context) { ++static_cast<Window*>(context)->closed; };
  options.window_context = window.get();
  const Source source = Source::make(kDiskDirectory, 0);
  EXPECT_FALSE(run_once(method, {4096}, source, {SinkKind::null}, options).error);
  EXPECT_EQ(window->opened, 1);
  EXPECT_EQ(window->closed, 1);
  EXPECT_TRUE(window->open_during_move);
}

TEST(TransferRun, HoldsTheChildBackUntilItIsReleased) {
  SharedRecord<Window> window;
  TransferOptions options;
  options.window_open = [](void* context) { ++static_cast<Window*>(context)->opened; };
  options.window_context = window.get();
  pid_t seen = 0;
  options.before_release = [&](pid_t child) {
    seen = child;
    EXPECT_EQ(::kill(child, 0), 0);
    EXPECT_EQ(window->opened, 0);
  };
  const Source source = Source::make(kDiskDirectory, 10);
  EXPECT_FALSE(run_once(*find_method("sendfile"), {4096}, source, {}, options).error);
  EXPECT_GT(seen, 0);
  EXPECT_EQ(window->opened, 1);
}

TEST(TransferRun, EndsTheChildWhenTheHookThrows) {
  const NewChildren children;
  TransferOptions options;
  pid_t seen = 0;
  options.before_release = [&](pid_t child) {
    seen = child;
    throw SetupError(EPERM, "observe");
  };
  const Source source = Source::make(kDiskDirectory, 10);
  EXPECT_THROW(run_once(*find_method("sendfile"), {4096}, source, {}, options), SetupError);
  EXPECT_EQ(::kill(seen, 0), -1);
  EXPECT_EQ(children.now(), std::vector<pid_t>{});
}

TEST(TransferRun, KillsTheChildWhenTheRunIsStopped) {
  const NewChildren children;
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved {
    for (;;) ::pause();
  });
  const Descriptor stop(::eventfd(1, EFD_CLOEXEC));  // readable from the beginning
  TransferOptions options;
  options.stop_fd = stop.get();
  const Source source = Source::make(kDiskDirectory, 10);
  const TransferResult result = run_once(method, {4096}, source, {}, options);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->number, ECANCELED);
  EXPECT_EQ(children.now(), std::vector<pid_t>{});
}

TEST(TransferRun, DoesNotWaitAroundAMoveWhenTheRunIsStopped) {
  const NewChildren children;
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved { return {}; });
  const Descriptor stop(::eventfd(0, EFD_CLOEXEC));
  TransferOptions options;
  options.stop_fd = stop.get();
  options.before_move = [&] { ::eventfd_write(stop.get(), 1); };
  const Source source = Source::make(kDiskDirectory, 10);
  run_once(method, {4096}, source, {}, options);
  EXPECT_EQ(children.now(), std::vector<pid_t>{});
}

TEST(TransferRun, StopsTheChildRightBeforeAndRightAfterTheMove) {
  SharedRecord<Window> window;
  window_of_test = &window;
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved {
    window_of_test->get()->open_during_move = true;
    return {};
  });
  TransferOptions options;
  std::vector<bool> moved;
  options.before_move = [&] { moved.push_back(window->open_during_move); };
  options.after_move = options.before_move;
  const Source source = Source::make(kDiskDirectory, 0);
  EXPECT_FALSE(run_once(method, {4096}, source, {SinkKind::unix_stream}, options).error);
  EXPECT_EQ(moved, (std::vector<bool>{false, true}));
}

TEST(TransferRun, DoesNotStopForAMoveThatNeverHappens) {
  Method method = test_method([](const Transfer&, Workspace&) -> Moved { return {}; });
  method.prepare = [](const Transfer&, Workspace&) -> Failure { return {ENOSYS, "prepare"}; };
  TransferOptions options;
  int stops = 0;
  options.before_move = options.after_move = [&] { ++stops; };
  const Source source = Source::make(kDiskDirectory, 0);
  const TransferResult outcome = run_once(method, {4096}, source, {SinkKind::null}, options);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->number, ENOSYS);
  EXPECT_EQ(stops, 0);
}

TEST(TransferRun, StopsOnceForAMoveThatIsKilled) {
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved {
    ::raise(SIGKILL);
    return {};
  });
  TransferOptions options;
  int stops = 0;
  options.before_move = options.after_move = [&] { ++stops; };
  const Source source = Source::make(kDiskDirectory, 0);
  EXPECT_TRUE(run_once(method, {4096}, source, {SinkKind::null}, options).error);
  EXPECT_EQ(stops, 1);
}

TEST(TransferRun, EndsTheChildWhenAStopThrows) {
  const NewChildren children;
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved { return {}; });
  TransferOptions options;
  options.after_move = [] { throw std::runtime_error("no"); };
  const Source source = Source::make(kDiskDirectory, 0);
  EXPECT_THROW(run_once(method, {4096}, source, {SinkKind::unix_stream}, options),
               std::runtime_error);
  EXPECT_EQ(children.now(), std::vector<pid_t>{});
}

TEST(TransferRun, SurvivesAMethodThatIsKilled) {
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved {
    ::raise(SIGKILL);
    return {};
  });
  const Source source = Source::make(kDiskDirectory, 10);
  const TransferResult outcome = run_once(method, {4096}, source, {});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->number, ECANCELED);
  EXPECT_EQ(outcome.error->text, "ECANCELED: the transfer was killed by SIGKILL");
  EXPECT_FALSE(run_once(*find_method("sendfile"), {4096}, source, {}).error);
}

TEST(TransferRun, ReportsASourceThatEndedEarly) {
  const Method method = test_method([](const Transfer&, Workspace&) -> Moved { return {}; });
  const Source source = Source::make(kDiskDirectory, 10);
  const TransferResult outcome = run_once(method, {4096}, source, {SinkKind::null});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->number, EIO);
}

TEST(TransferRun, FindsChangedBytesByTheirChecksum) {
  const Method method = test_method([](const Transfer& job, Workspace&) -> Moved {
    std::string zeroes(job.length, '\0');
    return {.bytes = static_cast<std::uint64_t>(::write(job.out_fd, zeroes.data(), job.length))};
  });
  const Source source = Source::make(kDiskDirectory, 1000);
  for (const char* sink : {"unix", "file"}) {
    const TransferResult outcome =
        run_once(method, kWholeSource, source, *parse_sink(sink), {.verify = true});
    EXPECT_FALSE(outcome.error);
    EXPECT_EQ(outcome.checksum_ok, false) << sink;
  }
}

TEST(TransferRun, ReportsADrainThatDied) {
  const Source source = Source::make(kDiskDirectory, kBytes);
  for (const char* method : {"read_write", "splice", "msg_zerocopy"}) {
    for (const char* sink : {"unix", "tcp", "pipe"}) {
      if (!contains(find_method(method)->needs.sinks, parse_sink(sink)->kind)) continue;
      TransferOptions options;
      options.before_release = [](pid_t child) {
        for (const pid_t drain : children_of_this_thread()) {
          if (drain == child) continue;
          ::kill(drain, SIGKILL);
          siginfo_t ended;
          ::waitid(P_PID, static_cast<id_t>(drain), &ended, WEXITED | WNOWAIT);
        }
      };
      const TransferResult outcome =
          run_once(*find_method(method), {65536}, source, *parse_sink(sink), options);
      ASSERT_TRUE(outcome.error) << method << " " << sink;
      EXPECT_EQ(outcome.error->text, "ECANCELED: the drain was killed by SIGKILL");
    }
  }
}

TEST(TransferRun, DrainsBySplice) {
  const Source source = Source::make(kDiskDirectory, kBytes);
  for (const char* sink : {"unix", "tcp", "pipe"}) {
    const TransferResult outcome =
        run_once(*find_method("sendfile"), kWholeSource, source, *parse_sink(sink),
                 {.drain_read_bytes = 128 * 1024, .drain_splice = true});
    EXPECT_FALSE(outcome.error) << sink;
    EXPECT_EQ(outcome.drained_bytes, kBytes) << sink;
  }
}

TEST(TransferRun, DrainsByReadsOfOneByte) {
  const Source source = Source::make(kDiskDirectory, 1000);
  const TransferResult outcome = run_once(*find_method("read_write"), kWholeSource, source, {},
                                          {.verify = true, .drain_read_bytes = 1});
  EXPECT_EQ(outcome.drained_bytes, 1000U);
  EXPECT_EQ(outcome.checksum_ok, true);
}

TEST(TransferRun, ReportsWhatItTookAndWithWhat) {
  const Source source = Source::make(kTmpfsDirectory, kBytes);
  const TransferResult outcome = run_once(*find_method("splice"), {100 * 1024}, source, {});
  ASSERT_FALSE(outcome.error) << outcome.error->text;
  EXPECT_EQ(outcome.buffer_bytes, 100U * 1024);
  EXPECT_EQ(outcome.pipe_bytes, 128U * 1024);
  EXPECT_GT(outcome.wall_ns, 0U);
  EXPECT_EQ(run_once(*find_method("reflink"), {4096}, source, {SinkKind::null}).wall_ns > 0, true);
}

TEST(TransferRun, RunsColdSources) {
  const Source source = Source::make(kDiskDirectory, kBytes);
  const TransferResult outcome =
      run_once(*find_method("read_write"), {65536}, source, {SinkKind::null}, {.cold = true});
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.moved_bytes, kBytes);
}

TEST(TransferRun, MakesMoreThanOneSinkAndDrainForTee) {
  const Source source = Source::make(kDiskDirectory, kBytes);
  const TransferResult outcome =
      run_once(*find_method("tee"), {65536}, source, {}, {.verify = true});
  ASSERT_FALSE(outcome.error) << outcome.error->text;
  EXPECT_EQ(outcome.moved_bytes, kBytes);
  EXPECT_EQ(outcome.drained_bytes, 2 * kBytes);
  EXPECT_EQ(outcome.checksum_ok, true);
}

TEST(TransferRun, LeavesNoDescriptorAndNoChild) {
  const NewChildren children;
  const auto next_free = [] { return Descriptor(::open("/dev/null", O_RDONLY)).get(); };
  const Source source = Source::make(kDiskDirectory, 10'000);
  const int before = next_free();
  for (const Method* method : all_methods()) {
    for (const char* sink : {"unix", "file", "null"}) {
      run_once(*method, {4096}, source, *parse_sink(sink));
    }
  }
  EXPECT_EQ(next_free(), before);
  EXPECT_EQ(children.now(), std::vector<pid_t>{});
}

// The runner is killed while its child waits at the gate: child and drain must follow.
TEST(TransferRun, ChildrenDieWithTheirParent) {
  SharedRecord<pid_t[2]> born;
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const Descriptor ready_in(ready[0]);
  Descriptor ready_out(ready[1]);
  Child runner(dependent_child({ready_out.get()}), [&] {
    TransferOptions options;
    options.before_release = [&](pid_t) {
      const std::vector<pid_t> children = children_of_this_thread();
      for (std::size_t i = 0; i < 2 && i < children.size(); ++i) (*born.get())[i] = children[i];
      if (::write(ready_out.get(), "r", 1) != 1) ::_exit(1);
      ::pause();
    };
    run_once(*find_method("sendfile"), {4096}, Source::make(kDiskDirectory, 10), {}, options);
  });
  ready_out.reset();
  char byte;
  ASSERT_EQ(::read(ready_in.get(), &byte, 1), 1);
  std::vector<Descriptor> pidfds;
  for (const pid_t pid : *born.get()) {
    ASSERT_GT(pid, 0);
    pidfds.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    ASSERT_TRUE(pidfds.back());
  }
  ::kill(runner.pid(), SIGKILL);
  EXPECT_EQ(ending_text(runner.wait()), "killed by SIGKILL");
  for (const Descriptor& pidfd : pidfds) {
    pollfd ended{pidfd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&ended, 1, -1), 1);
  }
}

}  // namespace
}  // namespace zctrace::transfers
