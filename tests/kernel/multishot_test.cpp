// SPDX-License-Identifier: MIT
// io_uring's multishot requests: each of their completions counts, although only the last one
// names its request.
#include "on_io_uring.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace zctrace::testing {
namespace {

constexpr int kRefused = 77;
constexpr __u8 kReadMultishot = 49;

class Multishot : public OnIoUring {};

ZC_IN_BOTH_MODES(Multishot);

// A ring with 128 buffers of 1,500 bytes as group 1.
class MultishotRing {
 public:
  bool open() {
    if (::io_uring_queue_init(256, &ring_, 0) != 0) return false;
    void* memory = nullptr;
    if (::posix_memalign(&memory, 4096, 4096) != 0) return false;
    io_uring_buf_reg group{};
    group.ring_addr = reinterpret_cast<__u64>(memory);
    group.ring_entries = 128;
    group.bgid = 1;
    if (::io_uring_register_buf_ring(&ring_, &group, 0) != 0) return false;
    auto* const buffers = static_cast<io_uring_buf_ring*>(memory);
    ::io_uring_buf_ring_init(buffers);
    for (int i = 0; i < 128; i++)
      ::io_uring_buf_ring_add(buffers, space_.data() + i * 1500, 1500,
                              static_cast<unsigned short>(i), 127, i);
    ::io_uring_buf_ring_advance(buffers, 128);
    return true;
  }
  template <class Prepare>
  bool submit(__u64 user_data, const Prepare& prepare) {
    io_uring_sqe* const sqe = ::io_uring_get_sqe(&ring_);
    prepare(sqe);
    sqe->user_data = user_data;
    return ::io_uring_submit(&ring_) == 1;
  }
  bool receive_all(__u64 user_data, int socket) {
    return submit(user_data, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_recv_multishot(sqe, socket, nullptr, 0, 0);
      select_buffer(sqe);
    });
  }
  static void select_buffer(io_uring_sqe* sqe) {
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 1;
  }
  io_uring_cqe wait() {
    io_uring_cqe* cqe = nullptr;
    io_uring_cqe result{};
    if (::io_uring_wait_cqe(&ring_, &cqe) != 0) ::_exit(90);
    result.user_data = cqe->user_data;
    result.res = cqe->res;
    result.flags = cqe->flags;
    ::io_uring_cqe_seen(&ring_, cqe);
    return result;
  }
  io_uring* get() { return &ring_; }

 private:
  io_uring ring_{};
  std::vector<char> space_ = std::vector<char>(128 * 1500);
};

const std::array<char, 1009> message{};

void expect_nothing_lost(const Observation& seen) {
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.completeness.lost_events(), 0u);
}

TEST_P(Multishot, EveryMessageThatRecvReceivesCounts) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        MultishotRing ring;
        int pair[2];
        if (!ring.open() || ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 1;
        if (!ring.receive_all(1, pair[1])) return 2;
        for (int i = 0; i < 97; i++) {
          if (::write(pair[0], message.data(), message.size()) != 1009) return 3;
          const io_uring_cqe cqe = ring.wait();
          if (cqe.res != 1009 || !(cqe.flags & IORING_CQE_F_MORE)) return 4;
        }
        // The last completion names the request.
        ::close(pair[0]);
        return ring.wait().flags & IORING_CQE_F_MORE ? 5 : 0;
      },
      probes());
  expect_nothing_lost(seen);
  EXPECT_EQ(seen.row("io_uring:recv", Kind::socket, Kind::user).calls, 98u);
  EXPECT_EQ(seen.row("io_uring:recv", Kind::socket, Kind::user).bytes, 97u * 1009);
}

// The buffers hold a header, the name and control data before each message.
TEST_P(Multishot, RecvmsgCountsTheMessagesOnly) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        MultishotRing ring;
        msghdr header{};
        header.msg_namelen = sizeof(sockaddr_in);
        header.msg_controllen = 32;
        const int in = ::socket(AF_INET, SOCK_DGRAM, 0);
        const int out = ::socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in address{};
        socklen_t length = sizeof(address);
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const name = reinterpret_cast<sockaddr*>(&address);
        if (!ring.open() || ::bind(in, name, length) != 0 ||
            ::getsockname(in, name, &length) != 0 || ::connect(out, name, length) != 0)
          return 1;
        if (!ring.submit(1, [&](io_uring_sqe* sqe) {
              ::io_uring_prep_recvmsg_multishot(sqe, in, &header, 0);
              MultishotRing::select_buffer(sqe);
            }))
          return 2;
        for (int i = 0; i < 31; i++) {
          if (::send(out, message.data(), 1009, 0) != 1009) return 3;
          if (ring.wait().res != 1009 + 16 + 16 + 32) return 4;
        }
        return 0;
      },
      probes());
  expect_nothing_lost(seen);
  EXPECT_EQ(seen.row("io_uring:recvmsg", Kind::socket, Kind::user).calls, 31u);
  EXPECT_EQ(seen.row("io_uring:recvmsg", Kind::socket, Kind::user).bytes, 31u * 1009);
}

TEST_P(Multishot, EveryReadOfAPipeCountsAndIsTakenOutOfIt) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        MultishotRing ring;
        int ends[2];
        if (!ring.open() || ::pipe(ends) != 0) return 1;
        if (!ring.submit(1, [&](io_uring_sqe* sqe) {
              ::io_uring_prep_rw(kReadMultishot, sqe, ends[0], nullptr, 0, 0);
              MultishotRing::select_buffer(sqe);
            }))
          return 2;
        for (int i = 0; i < 11; i++) {
          if (::write(ends[1], message.data(), message.size()) != 1009) return 3;
          const io_uring_cqe cqe = ring.wait();
          if (cqe.res == -EINVAL && i == 0) return kRefused;
          if (cqe.res != 1009) return 4;
        }
        return 0;
      },
      probes());
  if (seen.exit_code == kRefused) GTEST_SKIP() << "this kernel has no IORING_OP_READ_MULTISHOT";
  expect_nothing_lost(seen);
  EXPECT_EQ(seen.row("io_uring:read_multishot", Kind::pipe, Kind::user).bytes, 11u * 1009);
  EXPECT_EQ(seen.child().delivered_bytes(), 0u);
}

TEST_P(Multishot, AcceptAndPollCountAsOther) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        MultishotRing ring;
        const int event = ::eventfd(0, 0);
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        socklen_t length = sizeof(address);
        auto* const name = reinterpret_cast<sockaddr*>(&address);
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (!ring.open() || ::bind(listener, name, length) != 0 || ::listen(listener, 8) != 0 ||
            ::getsockname(listener, name, &length) != 0)
          return 1;
        if (!ring.submit(1, [&](io_uring_sqe* sqe) {
              ::io_uring_prep_multishot_accept(sqe, listener, nullptr, nullptr, 0);
            }))
          return 2;
        if (!ring.submit(
                2, [&](io_uring_sqe* sqe) { ::io_uring_prep_poll_multishot(sqe, event, POLLIN); }))
          return 3;
        for (int i = 0; i < 5; i++) {
          if (::connect(::socket(AF_INET, SOCK_STREAM, 0), name, length) != 0) return 4;
          if (ring.wait().user_data != 1) return 5;
          if (::eventfd_write(event, 1) != 0 || ring.wait().user_data != 2) return 6;
        }
        return 0;
      },
      probes());
  expect_nothing_lost(seen);
  EXPECT_EQ(seen.row("io_uring:other").calls, 10u);
  EXPECT_EQ(seen.row("io_uring:other").errors, 0u);
}

// There is space for one request: the second one's results are lost, and only those.
TEST_P(Multishot, ARequestWithoutSpaceIsReportedAsLost) {
  ZC_NEEDS_PROBES();
  ProbeOptions options = probes();
  options.room["multishots"] = 1;
  const Observation seen = observe(
      [] {
        MultishotRing ring;
        int pair[4];
        if (!ring.open() || ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
            ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair + 2) != 0)
          return 1;
        if (!ring.receive_all(1, pair[1]) || !ring.receive_all(2, pair[3])) return 2;
        for (int i = 0; i < 7; i++)
          for (const int socket : {pair[0], pair[2]})
            if (::write(socket, message.data(), message.size()) != 1009 || ring.wait().res != 1009)
              return 3;
        return 0;
      },
      options);
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("io_uring:recv").bytes, 7u * 1009);
  EXPECT_EQ(seen.completeness.lost_by_reason.at("uring_results"), 7u);
  EXPECT_EQ(seen.completeness.lost_events(), 7u);
}

// One that ended, because it was cancelled or its peer closed, makes space for another.
TEST_P(Multishot, ARequestThatEndsMakesSpace) {
  ZC_NEEDS_PROBES();
  ProbeOptions options = probes();
  options.room["multishots"] = 1;
  const Observation seen = observe(
      [] {
        MultishotRing ring;
        int pair[2];
        if (!ring.open()) return 1;
        for (__u64 i = 1; i <= 6; i++) {
          if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 2;
          if (!ring.receive_all(i, pair[1])) return 3;
          if (::write(pair[0], message.data(), message.size()) != 1009) return 4;
          if (ring.wait().res != 1009) return 5;
          if (i % 2 == 0) {
            ::close(pair[0]);
          } else {
            if (!ring.submit(100, [&](io_uring_sqe* sqe) { ::io_uring_prep_cancel64(sqe, i, 0); }))
              return 6;
            ring.wait();
          }
          ring.wait();
        }
        return 0;
      },
      options);
  expect_nothing_lost(seen);
  EXPECT_EQ(seen.row("io_uring:recv").bytes, 6u * 1009);
}

}  // namespace
}  // namespace zctrace::testing
