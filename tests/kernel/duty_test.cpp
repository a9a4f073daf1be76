// SPDX-License-Identifier: MIT
// Slices of the time (ProbeOptions::sliced): what is counted in them, and nothing in between.
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>

#include "collector/os/pipe.h"
#include "tests/kernel/observed.h"

namespace zctrace::testing {
namespace {

struct SocketPair {
  SocketPair() {
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw Error("socketpair", kExitFailed);
  }
  ~SocketPair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  int ends[2] = {-1, -1};
};

// A child that does what it is told, and a session that observes it in slices.
class Sliced : public ::testing::Test {
 protected:
  void begin(const Body& body) {
    child_ = ::fork();
    if (child_ == 0) ::_exit(body());
    ASSERT_GT(child_, 0);
    SessionOptions options;
    options.syscalls = "%all";
    options.probes.latency = false;
    options.probes.sliced = true;
    session_.emplace(options);
    session_->observe(child_);
    session_->poll();
  }
  ~Sliced() override {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  void close_slice() {
    session_->close_slice();
    session_->poll();
  }
  // Until the child waits in this call.
  void wait_for_call(long number) const {
    const std::string wanted = std::to_string(number) + " ";
    std::string line;
    do {
      ::sched_yield();
      std::getline(std::ifstream("/proc/" + std::to_string(child_) + "/syscall"), line);
    } while (!line.starts_with(wanted));
  }
  Row row(const std::string& syscall) const {
    for (const Row& row : session_->process(child_).rows)
      if (row.syscall == syscall) return row;
    return {};
  }

  pid_t child_ = 0;
  std::optional<Session> session_;
};

TEST_F(Sliced, CountsEachSliceExactlyAndNothingBetween) {
  ZC_NEEDS_PROBES();
  const SocketPair pair;
  begin([&pair] {
    // So many writes as it is told, and an answer.
    for (unsigned char times = 0; ::recv(pair.ends[1], &times, 1, 0) == 1;) {
      for (int i = 0; i < times; i++)
        if (::pwrite(STDERR_FILENO, "", 0, 0) == 99) return 1;
      if (::send(pair.ends[1], "", 1, 0) != 1) return 1;
    }
    return 0;
  });
  wait_for_call(SYS_recvfrom);
  const auto run = [&](unsigned char times) {
    char answer = 0;
    ASSERT_EQ(::send(pair.ends[0], &times, 1, 0), 1);
    ASSERT_EQ(::recv(pair.ends[0], &answer, 1, 0), 1);
    wait_for_call(SYS_recvfrom);
  };
  std::uint64_t counted = 0;
  for (const unsigned char times : {3, 200, 0, 17}) {
    run(100);
    session_->open_slice();
    run(times);
    close_slice();
    run(50);
    session_->poll();
    counted += times;
    EXPECT_EQ(row("pwrite64").calls, counted);
    EXPECT_EQ(row("pwrite64").wall_ns, 0u);
  }
  EXPECT_EQ(row("sendto").calls, 4u);
  EXPECT_EQ(row("recvfrom").calls, 4u) << "each is counted where it returns";
  EXPECT_EQ(row("recvfrom").bytes, 4u);
  EXPECT_EQ(session_->completeness().lost_events(), 0u);
}

// A call that was seen to wait in a slice, and returned after it, is not taken for another one.
TEST_F(Sliced, DoesNotTakeALaterCallForOneThatWasInFlightAtTheEnd) {
  ZC_NEEDS_PROBES();
  const SocketPair pair;
  const Pipe pipe = make_pipe();
  begin([&] {
    char bytes[32];
    if (::recv(pair.ends[1], bytes, 1, 0) != 1) return 1;
    if (::read(pipe.reader.get(), bytes, sizeof(bytes)) != 7) return 1;
    if (::recv(pair.ends[1], bytes, sizeof(bytes), 0) != 11) return 1;
    return ::read(pipe.reader.get(), bytes, 1) == 1 ? 0 : 1;
  });
  wait_for_call(SYS_recvfrom);
  session_->open_slice();
  ASSERT_EQ(::send(pair.ends[0], "", 1, 0), 1);
  wait_for_call(SYS_read);  // and is switched out there
  close_slice();
  ASSERT_EQ(::write(pipe.writer.get(), "1234567", 7), 7);
  wait_for_call(SYS_recvfrom);
  session_->open_slice();
  ASSERT_EQ(::send(pair.ends[0], "12345678901", 11, 0), 11);
  wait_for_call(SYS_read);
  close_slice();
  EXPECT_EQ(row("recvfrom").calls, 2u);
  EXPECT_EQ(row("recvfrom").bytes, 1u + 11u);
  EXPECT_EQ(row("recvfrom").from, Kind::socket);
  EXPECT_EQ(row("read").calls, 0u) << "it returned between two slices";
  EXPECT_EQ(row("read").bytes, 0u);
}

}  // namespace
}  // namespace zctrace::testing
