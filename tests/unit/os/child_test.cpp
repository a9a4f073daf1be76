// SPDX-License-Identifier: MIT
// The child wrapper: what a child inherits, and how it ends.
#include "collector/os/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "collector/os/exit_status.h"
#include "collector/os/gated_child.h"

namespace zctrace {
namespace {

TEST(Child, ReturnsItsExitStatus) {
  Child child({}, [] { ::_exit(7); });
  EXPECT_EQ(ending_text(child.wait()), "exited with status 7");
}

TEST(Child, NamesTheSignalThatKilledIt) {
  Child child({}, [] { ::raise(SIGSEGV); });
  EXPECT_EQ(ending_text(child.wait()), "killed by SIGSEGV");
}

TEST(Child, AnExceptionAbortsItAndDoesNotReachTheCaller) {
  Child child({}, [] { throw 1; });
  EXPECT_EQ(ending_text(child.wait()), "killed by SIGABRT");
}

TEST(Child, IsKilledAtTheEndOfItsOwner) {
  pid_t pid = 0;
  {
    Child child({}, [] {
      for (;;) ::pause();
    });
    pid = child.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Child, ItsHandleIsReadableWhenItHasEnded) {
  Child child({}, [] {});
  pollfd ended{child.handle(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, -1), 1);
  EXPECT_EQ(child.wait(), 0);
}

TEST(Child, KeepsOnlyTheDescriptorsThatItIsGiven) {
  const Pipe kept = make_pipe();
  const Pipe stray = make_pipe();
  Child child(dependent_child({kept.writer.get(), -1}), [&] {
    if (::fcntl(stray.reader.get(), F_GETFD) != -1) ::_exit(1);
    if (::fcntl(stray.writer.get(), F_GETFD) != -1) ::_exit(2);
    if (::fcntl(kept.reader.get(), F_GETFD) != -1) ::_exit(3);
    if (::fcntl(kept.writer.get(), F_GETFD) == -1) ::_exit(4);
    if (::fcntl(STDERR_FILENO, F_GETFD) == -1) ::_exit(5);
  });
  EXPECT_EQ(ending_text(child.wait()), "");
}

TEST(Child, RunsNothingBeforeItsGateOpens) {
  ChildOptions gated;
  gated.gated = true;
  Wakeup ran;
  {
    Child child(gated, [&] { ran.send(); });
  }
  ran.close_send_end();
  EXPECT_FALSE(ran.wait());
}

TEST(Child, RunsWhenItsGateOpens) {
  ChildOptions gated = dependent_child({});
  gated.gated = true;
  Child child(gated, [] { ::_exit(3); });
  child.release();
  EXPECT_EQ(ending_text(child.wait()), "exited with status 3");
}

TEST(Child, HasTheDefaultActionOfASignalThatItsParentIgnores) {
  Child outer({}, [] {
    ::signal(SIGTERM, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    Child inner(dependent_child({}), [] {
      for (;;) ::pause();
    });
    ::kill(inner.pid(), SIGTERM);
    ::_exit(ending_text(inner.wait()) == "killed by SIGTERM" ? 0 : 1);
  });
  EXPECT_EQ(ending_text(outer.wait()), "");
}

// A write beyond the limit is EFBIG to transfers, and the command's own business in the command.
TEST(GatedChild, HasTheFileSizeSignalThatItsCallerHad) {
  const Signals signals;
  GatedChild child({"sh", "-c", "ulimit -f 0; exec 2>/dev/null; echo x > /proc/self/comm; true"},
                   std::nullopt, signals.before());
  child.release();
  EXPECT_EQ(ending_text(child.wait()), "");
  GatedChild killed({"sh", "-c", "kill -XFSZ $$"}, std::nullopt, signals.before());
  killed.release();
  EXPECT_EQ(ending_text(killed.wait()), "killed by SIGXFSZ");
}

TEST(GatedChild, SaysWhyItCannotRun) {
  const Signals signals;
  GatedChild child({"/nonexistent/program"}, std::nullopt, signals.before());
  try {
    child.release();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot run '/nonexistent/program': No such file or directory");
    EXPECT_EQ(error.exit_code(), kExitNotFound);
  }
}

}  // namespace
}  // namespace zctrace
