// SPDX-License-Identifier: MIT
// Results that are not what they seem: seccomp's answers, bytes that are thrown away, zeros.
#include "observed.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <vector>

namespace zctrace::testing {
namespace {

class Answers : public InBothModes {};

ZC_IN_BOTH_MODES(Answers);

// A filter that answers one call with `action`; the listener's descriptor if it has one.
int answer(long number, std::uint32_t action, unsigned flags = 0) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {4, filter};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

TEST_P(Answers, SeccompsErrno0IsASuccess) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe_process(
      [] {
        if (answer(SYS_fchown, SECCOMP_RET_ERRNO) != 0) return 1;
        for (int i = 0; i < 101; i++)
          if (::fchown(-1, 0, 0) != 0) return 2;
        return 0;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("fchown").calls, 101u);
  EXPECT_EQ(seen.row("fchown").errors, 0u);
}

TEST_P(Answers, SeccompsErrnoIsAnError) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe_process(
      [] {
        if (answer(SYS_fchown, SECCOMP_RET_ERRNO | EPERM) != 0) return 1;
        for (int i = 0; i < 103; i++)
          if (::fchown(-1, 0, 0) != -1) return 2;
        return 0;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("fchown").calls, 103u);
  EXPECT_EQ(seen.row("fchown").errors, 103u);
}

// The supervisor is a thread that was there before the filter, which it therefore does not have.
TEST_P(Answers, ASupervisorsAnswerCountsWithItsBytes) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe_process(
      [] {
        static int ends[2];
        if (::pipe(ends) != 0) return 1;
        pthread_t supervisor;
        ::pthread_create(
            &supervisor, nullptr,
            [](void*) -> void* {
              int listener = -1;
              if (::read(ends[0], &listener, sizeof(listener)) != sizeof(listener)) return nullptr;
              for (int i = 0; i < 7; i++) {
                seccomp_notif request{};
                seccomp_notif_resp response{};
                ::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request);
                response.id = request.id;
                response.val = 997;
                ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
              }
              return nullptr;
            },
            nullptr);
        const int null = ::open("/dev/null", O_WRONLY);
        const int listener =
            answer(SYS_pwrite64, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
        if (listener < 0 || ::write(ends[1], &listener, sizeof(listener)) != sizeof(listener))
          return 2;
        for (int i = 0; i < 7; i++)
          if (::pwrite(null, "x", 1, 0) != 997) return 3;
        ::pthread_join(supervisor, nullptr);
        return 0;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("pwrite64").calls, 7u);
  EXPECT_EQ(seen.row("pwrite64").errors, 0u);
  EXPECT_EQ(seen.row("pwrite64").bytes, 7u * 997);
}

TEST_P(Answers, TcpThrowsAwayWhatIsReceivedWithMsgTrunc) {
  ZC_NEEDS_PROBES();
  const std::array<int, 2> pair = tcp_pair();
  const std::vector<char> bytes(30011, 'x');
  ASSERT_EQ(::send(pair[0], bytes.data(), bytes.size(), 0), 30011);
  const Observation seen = observe(
      [&] {
        std::array<char, 10007> buffer{};
        iovec part = {buffer.data(), buffer.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        mmsghdr messages{};
        messages.msg_hdr = message;
        if (::recv(pair[1], buffer.data(), 10007, MSG_TRUNC) != 10007) return 1;
        if (::recvmsg(pair[1], &message, MSG_TRUNC) != 10007) return 2;
        part.iov_len = 4999;
        if (::recvmmsg(pair[1], &messages, 1, MSG_TRUNC, nullptr) != 1) return 3;
        if (buffer[0] != 0) return 4;
        return ::recv(pair[1], buffer.data(), 4998, 0) == 4998 ? 0 : 5;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.child().copied_bytes(), 4998u);
  EXPECT_EQ(seen.child().cpu_copied_bytes(), 4998u);
  EXPECT_EQ(seen.child().delivered_bytes(), 0u);
  EXPECT_EQ(seen.row("recvfrom").bytes, 10007u + 4998);
  EXPECT_EQ(seen.row("recvmsg", Kind::socket, Kind::user).discarded_bytes, 10007u);
  EXPECT_EQ(seen.row("recvmmsg", Kind::socket, Kind::user).discarded_bytes, 4999u);
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST_P(Answers, OtherSocketsCopyWithMsgTrunc) {
  ZC_NEEDS_PROBES();
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  ASSERT_EQ(::send(pair[0], "1234567", 7, 0), 7);
  const Observation seen = observe(
      [&] {
        char buffer[100];
        return ::recv(pair[1], buffer, sizeof(buffer), MSG_TRUNC) == 7 ? 0 : 1;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.child().copied_bytes(), 7u);
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST_P(Answers, NothingIsCopiedFromDevZeroNorDeliveredToDevNull) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        std::array<char, 1009> buffer{};
        const int zero = ::open("/dev/zero", O_RDONLY);
        const int null = ::open("/dev/null", O_WRONLY);
        const int file = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
        for (int i = 0; i < 11; i++)
          if (::read(zero, buffer.data(), 1009) != 1009 ||
              ::write(null, buffer.data(), 1009) != 1009)
            return 1;
        if (::write(file, buffer.data(), 1009) != 1009) return 2;
        off_t offset = 0;
        return ::sendfile(null, file, &offset, 1009) == 1009 ? 0 : 3;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("read", Kind::device, Kind::user).bytes, 11u * 1009);
  EXPECT_EQ(seen.row("write", Kind::user, Kind::device).bytes, 11u * 1009);
  EXPECT_EQ(seen.child().copied_bytes(), 1009u);
  EXPECT_EQ(seen.child().in_kernel_bytes(), 0u);
  EXPECT_EQ(seen.child().delivered_bytes(), 1009u);
}

// A call that was in flight when zctrace attached has no time, and so none off the CPU; one that
// is in flight at a reading has its time off the CPU in a later reading, with all of its time.
TEST(InFlight, TimeOffTheCpuNeverExceedsTheTimeOfTheCalls) {
  ZC_NEEDS_PROBES();
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char buffer[5];
    for (;;)
      if (::recv(pair[1], buffer, sizeof(buffer), MSG_WAITALL) != sizeof(buffer)) ::_exit(0);
  }
  SessionOptions options;
  Session session(options);
  const auto feed = [&](int bytes) {
    for (int i = 0; i < bytes; i++) {
      ASSERT_EQ(::send(pair[0], "x", 1, 0), 1);
      ::usleep(10000);  // so that the receiver is off its CPU again
    }
  };
  const auto check = [&](std::uint64_t calls) {
    session.poll();
    const Process process = session.process(child);
    for (const Row& row : process.rows) {
      EXPECT_LE(row.off_cpu_ns, row.wall_ns) << row.syscall;
      if (row.syscall == "recvfrom") {
        EXPECT_EQ(row.calls, calls);
      }
    }
  };
  feed(2);
  session.attach({child});
  feed(2);  // in the call that was in flight
  check(0);
  feed(1 + 3);
  check(1);
  feed(2);
  check(2);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pair[0]);
  ::close(pair[1]);
}

}  // namespace
}  // namespace zctrace::testing
