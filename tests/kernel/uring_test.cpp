// SPDX-License-Identifier: MIT
// io_uring: registered descriptors, peeks, messages between rings.
#include "on_io_uring.h"

#include <fcntl.h>
#include <liburing.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

namespace zctrace::testing {
namespace {

class Uring : public OnIoUring {};

ZC_IN_BOTH_MODES(Uring);

// Submits the operation that `prepare` describes, and returns its result.
template <class Prepare>
int complete(io_uring& ring, const Prepare& prepare) {
  io_uring_sqe* const sqe = ::io_uring_get_sqe(&ring);
  io_uring_cqe* cqe = nullptr;
  prepare(sqe);
  if (::io_uring_submit(&ring) != 1 || ::io_uring_wait_cqe(&ring, &cqe) != 0) return -1000;
  const int result = cqe->res;
  ::io_uring_cqe_seen(&ring, cqe);
  return result;
}

int file_of(std::size_t bytes) {
  const int file = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
  const std::vector<char> contents(bytes, 'x');
  EXPECT_EQ(::write(file, contents.data(), bytes), static_cast<ssize_t>(bytes));
  return file;
}

constexpr unsigned kChunk = 4099;
constexpr int kChunks = 13;

// The pipe's reading end and the output have no descriptor in the request but an index.
TEST_P(Uring, SpliceFromARegisteredPipeKeepsItsKindAndIsDeliveredOnce) {
  ZC_NEEDS_PROBES();
  const int in = file_of(kChunk * kChunks);
  const int out = file_of(0);
  for (const unsigned flags : {0U, static_cast<unsigned>(IOSQE_ASYNC)}) {
    const Observation seen = observe(
        [&] {
          io_uring ring{};
          int ends[2];
          if (::pipe(ends) != 0 || ::io_uring_queue_init(8, &ring, 0) != 0) return 1;
          const int registered[] = {-1, ends[0], ends[1], out};
          if (::io_uring_register_files(&ring, registered, 4) != 0) return 2;
          for (int i = 0; i < kChunks; i++) {
            for (unsigned left = kChunk; left > 0;) {
              const int n = complete(ring, [&](io_uring_sqe* sqe) {
                ::io_uring_prep_splice(sqe, in, i * kChunk + (kChunk - left), 2, -1, left, 0);
                sqe->flags = static_cast<__u8>(flags | IOSQE_FIXED_FILE);
              });
              if (n <= 0) return 3;
              left -= static_cast<unsigned>(n);
            }
            for (unsigned left = kChunk; left > 0;) {
              const int n = complete(ring, [&](io_uring_sqe* sqe) {
                ::io_uring_prep_splice(sqe, 1, -1, 3, i * kChunk + (kChunk - left), left,
                                       SPLICE_F_FD_IN_FIXED);
                sqe->flags = static_cast<__u8>(flags | IOSQE_FIXED_FILE);
              });
              if (n <= 0) return 4;
              left -= static_cast<unsigned>(n);
            }
          }
          return 0;
        },
        probes());
    ASSERT_EQ(seen.exit_code, 0);
    EXPECT_EQ(seen.row("io_uring:splice", Kind::file, Kind::pipe).bytes, kChunk * kChunks);
    EXPECT_EQ(seen.row("io_uring:splice", Kind::pipe, Kind::file).bytes, kChunk * kChunks);
    EXPECT_EQ(seen.row("io_uring:splice").bytes, 2 * kChunk * kChunks);
    EXPECT_EQ(seen.child().delivered_bytes(), kChunk * kChunks);
    EXPECT_EQ(seen.child().kernel_only_bytes(), kChunk * kChunks);
    // A file's page cache takes the bytes, not the pages.
    EXPECT_EQ(seen.child().zero_copy_bytes(), 0u);
    EXPECT_EQ(seen.completeness.lost_events(), 0u);
  }
  ::close(in);
  ::close(out);
}

TEST_P(Uring, AnIndexThatIsNotRegisteredIsAnErrorOfNoKind) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [&] {
        io_uring ring{};
        int ends[2];
        if (::pipe(ends) != 0 || ::io_uring_queue_init(8, &ring, 0) != 0) return 1;
        if (::io_uring_register_files(&ring, ends, 2) != 0) return 2;
        const int n = complete(ring, [&](io_uring_sqe* sqe) {
          ::io_uring_prep_splice(sqe, 7, -1, ends[1], -1, 1, SPLICE_F_FD_IN_FIXED);
        });
        return n == -EBADF ? 0 : 3;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("io_uring:splice", Kind::other, Kind::pipe).errors, 1u);
}

TEST_P(Uring, ReadAndWriteOfRegisteredFilesKeepTheirKinds) {
  ZC_NEEDS_PROBES();
  const int file = file_of(kChunk);
  const Observation seen = observe(
      [&] {
        std::array<char, kChunk> buffer{};
        io_uring ring{};
        if (::io_uring_queue_init(8, &ring, 0) != 0) return 1;
        if (::io_uring_register_files(&ring, &file, 1) != 0) return 2;
        const auto fixed = [&](auto prepare) {
          return complete(ring, [&](io_uring_sqe* sqe) {
            prepare(sqe, 0, buffer.data(), kChunk, 0);
            sqe->flags = IOSQE_FIXED_FILE;
          });
        };
        if (fixed(::io_uring_prep_read) != static_cast<int>(kChunk)) return 3;
        return fixed(::io_uring_prep_write) == static_cast<int>(kChunk) ? 0 : 4;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("io_uring:read", Kind::file, Kind::user).bytes, kChunk);
  EXPECT_EQ(seen.row("io_uring:write", Kind::user, Kind::file).bytes, kChunk);
  EXPECT_EQ(seen.child().delivered_bytes(), kChunk);
  ::close(file);
}

// The message and a completion that releases a registered file name no request and move no bytes.
TEST_P(Uring, MessagesBetweenRingsAreNotLost) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        io_uring from{};
        io_uring to{};
        io_uring_cqe* cqe = nullptr;
        const auto wait = [](io_uring& ring, io_uring_cqe*& completion) {
          __kernel_timespec patience = {10, 0};
          return ::io_uring_wait_cqe_timeout(&ring, &completion, &patience) == 0;
        };
        if (::io_uring_queue_init(8, &from, 0) != 0 || ::io_uring_queue_init(8, &to, 0) != 0)
          return 1;
        for (int i = 0; i < 101; i++) {
          const int n = complete(from, [&](io_uring_sqe* sqe) {
            ::io_uring_prep_msg_ring(sqe, to.ring_fd, 997, static_cast<__u64>(i), 0);
          });
          if (n != 0 || !wait(to, cqe) || cqe->res != 997) return 2;
          ::io_uring_cqe_seen(&to, cqe);
        }
        const int file = 0;
        const int none = -1;
        const __u64 tag = 7;
        if (::io_uring_register_files_tags(&from, &file, &tag, 1) != 0 ||
            ::io_uring_register_files_update(&from, 0, &none, 1) != 1 || !wait(from, cqe))
          return 3;
        return cqe->user_data == tag ? 0 : 4;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("io_uring:other").calls, 101u);
  EXPECT_EQ(seen.child().copied_bytes(), 0u);
  EXPECT_EQ(seen.completeness.lost_events(), 0u);
}

TEST_P(Uring, PeekedBytesCountWhenTheyAreReceived) {
  ZC_NEEDS_PROBES();
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  ASSERT_EQ(::send(pair[0], "1234567", 7, 0), 7);
  const Observation seen = observe(
      [&] {
        std::array<char, 100> buffer{};
        io_uring ring{};
        iovec part = {buffer.data(), buffer.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (::io_uring_queue_init(8, &ring, 0) != 0) return 1;
        const auto receive = [&](int flags) {
          return complete(ring, [&](io_uring_sqe* sqe) {
            ::io_uring_prep_recv(sqe, pair[1], buffer.data(), buffer.size(), flags);
          });
        };
        if (receive(MSG_PEEK) != 7) return 2;
        if (complete(ring, [&](io_uring_sqe* sqe) {
              ::io_uring_prep_recvmsg(sqe, pair[1], &message, MSG_PEEK);
            }) != 7)
          return 3;
        return receive(0) == 7 ? 0 : 4;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("io_uring:recv").calls, 2u);
  EXPECT_EQ(seen.row("io_uring:recv", Kind::socket, Kind::user).bytes, 7u);
  EXPECT_EQ(seen.row("io_uring:recvmsg").calls, 1u);
  EXPECT_EQ(seen.row("io_uring:recvmsg").bytes, 0u);
  EXPECT_EQ(seen.child().copied_bytes(), 7u);
  ::close(pair[0]);
  ::close(pair[1]);
}

// The result of each is the length of the datagram.
TEST_P(Uring, OnlyTheReceivedPartOfACutDatagramCounts) {
  ZC_NEEDS_PROBES();
  int pair[2];
  const std::vector<char> bytes(1009, 'x');
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
  for (int i = 0; i < 2; i++) ASSERT_EQ(::send(pair[0], bytes.data(), bytes.size(), 0), 1009);
  const Observation seen = observe(
      [&] {
        std::array<char, 100> buffer{};
        io_uring ring{};
        iovec parts[] = {{buffer.data(), 50}, {buffer.data() + 50, 11}};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        if (::io_uring_queue_init(8, &ring, 0) != 0) return 1;
        if (complete(ring, [&](io_uring_sqe* sqe) {
              ::io_uring_prep_recv(sqe, pair[1], buffer.data(), buffer.size(), MSG_TRUNC);
            }) != 1009)
          return 2;
        const int n = complete(ring, [&](io_uring_sqe* sqe) {
          ::io_uring_prep_recvmsg(sqe, pair[1], &message, MSG_TRUNC);
        });
        return n == 1009 ? 0 : 3;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("io_uring:recv", Kind::socket, Kind::user).bytes, 100u);
  EXPECT_EQ(seen.row("io_uring:recvmsg", Kind::socket, Kind::user).bytes, 61u);
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST_P(Uring, TcpThrowsAwayWhatIsReceivedWithMsgTrunc) {
  ZC_NEEDS_PROBES();
  const std::array<int, 2> pair = tcp_pair();
  const std::vector<char> bytes(10007, 'x');
  ASSERT_EQ(::send(pair[0], bytes.data(), bytes.size(), 0), 10007);
  const Observation seen = observe(
      [&] {
        std::array<char, 5003> buffer{};
        io_uring ring{};
        if (::io_uring_queue_init(8, &ring, 0) != 0) return 1;
        const auto receive = [&](unsigned length, int flags) {
          return complete(ring, [&](io_uring_sqe* sqe) {
            ::io_uring_prep_recv(sqe, pair[1], buffer.data(), length, flags);
          });
        };
        if (receive(5003, MSG_TRUNC) != 5003 || buffer[0] != 0) return 2;
        return receive(5002, 0) == 5002 ? 0 : 3;
      },
      probes());
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("io_uring:recv").bytes, 10005u);
  EXPECT_EQ(seen.row("io_uring:recv", Kind::socket, Kind::user).discarded_bytes, 5003u);
  EXPECT_EQ(seen.child().copied_bytes(), 5002u);
  ::close(pair[0]);
  ::close(pair[1]);
}

}  // namespace
}  // namespace zctrace::testing
