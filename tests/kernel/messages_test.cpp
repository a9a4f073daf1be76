// SPDX-License-Identifier: MIT
// Calls that move bytes between processes without a file: memory of another process, message
// queues; and packet sockets that send frames which they were not given.
#include "observed.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <mqueue.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

namespace zctrace::testing {
namespace {

class Messages : public InBothModes {};

ZC_IN_BOTH_MODES(Messages);

constexpr std::size_t kBytes = 100003;

TEST_P(Messages, MemoryOfAnotherProcessIsCopiedOnceAndNotDelivered) {
  ZC_NEEDS_PROBES();
  std::vector<char> theirs(kBytes, 'x');
  const pid_t other = ::fork();
  if (other == 0) {
    ::pause();
    ::_exit(0);
  }
  const Observation seen = observe(
      [&] {
        std::vector<char> mine(kBytes);
        iovec local[] = {{mine.data(), 3}, {mine.data() + 3, kBytes - 3}};
        iovec remote[] = {{theirs.data(), kBytes}};
        for (int i = 0; i < 3; i++)
          if (::process_vm_readv(other, local, 2, remote, 1, 0) != static_cast<ssize_t>(kBytes))
            return 1;
        if (mine[kBytes - 1] != 'x') return 2;
        if (::process_vm_writev(other, local, 1, remote, 1, 0) != 3) return 3;
        remote[0].iov_base = nullptr;
        return ::process_vm_readv(other, local, 1, remote, 1, 0) == -1 ? 0 : 4;
      },
      probes());
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("process_vm_readv", Kind::user, Kind::user).bytes, 3 * kBytes);
  EXPECT_EQ(seen.row("process_vm_readv", Kind::user, Kind::user).calls, 4u);
  EXPECT_EQ(seen.row("process_vm_readv", Kind::user, Kind::user).cpu_copied_bytes, 3 * kBytes);
  EXPECT_EQ(seen.row("process_vm_readv").errors, 1u);
  EXPECT_EQ(seen.row("process_vm_writev", Kind::user, Kind::user).bytes, 3u);
  EXPECT_EQ(seen.child().copied_bytes(), 3 * kBytes + 3);
  EXPECT_EQ(seen.child().delivered_bytes(), 0u);
}

TEST_P(Messages, PosixQueues) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        std::array<char, 128> buffer{};
        mq_attr attributes{};
        attributes.mq_maxmsg = 4;
        attributes.mq_msgsize = 128;
        const mqd_t queue =
            ::mq_open("/zctrace-test-queue", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attributes);
        if (queue < 0) return 77;
        ::mq_unlink("/zctrace-test-queue");
        for (int i = 0; i < 7; i++)
          if (::mq_send(queue, buffer.data(), 101, 0) != 0 ||
              ::mq_receive(queue, buffer.data(), 128, nullptr) != 101)
            return 1;
        return ::mq_receive(queue, buffer.data(), 128, nullptr) == -1 ? 0 : 2;
      },
      probes());
  if (seen.exit_code == 77) GTEST_SKIP() << "no POSIX message queues here";
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("mq_timedsend", Kind::user, Kind::other).bytes, 7u * 101);
  EXPECT_EQ(seen.row("mq_timedreceive", Kind::other, Kind::user).bytes, 7u * 101);
  EXPECT_EQ(seen.row("mq_timedreceive").errors, 1u);
  EXPECT_EQ(seen.child().copied_bytes(), 2u * 7 * 101);
  EXPECT_EQ(seen.child().delivered_bytes(), 7u * 101);
}

TEST_P(Messages, SystemVQueues) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        struct {
          long type;
          std::array<char, 128> text;
        } message = {1, {}};
        const int queue = ::msgget(IPC_PRIVATE, 0600);
        if (queue < 0) return 77;
        int failed = 0;
        for (int i = 0; i < 7; i++)
          if (::msgsnd(queue, &message, 103, 0) != 0 || ::msgrcv(queue, &message, 128, 0, 0) != 103)
            failed = 1;
        ::msgctl(queue, IPC_RMID, nullptr);
        return failed;
      },
      probes());
  if (seen.exit_code == 77) GTEST_SKIP() << "no System V message queues here";
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("msgsnd", Kind::user, Kind::other).bytes, 7u * 103);
  EXPECT_EQ(seen.row("msgrcv", Kind::other, Kind::user).bytes, 7u * 103);
  EXPECT_EQ(seen.child().copied_bytes(), 2u * 7 * 103);
  EXPECT_EQ(seen.child().delivered_bytes(), 7u * 103);
}

constexpr int kFrameBytes = 1000;

// A packet socket on the loopback device with `frames` frames in its ring, ready to be sent.
class PacketRing {
 public:
  bool open() {
    socket_ = ::socket(AF_PACKET, SOCK_RAW, 0);
    const int version = TPACKET_V2;
    tpacket_req shape{};
    shape.tp_block_size = 4096;
    shape.tp_block_nr = 64;
    shape.tp_frame_size = 2048;
    shape.tp_frame_nr = 128;
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(0x88b5);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
    if (socket_ < 0 ||
        ::setsockopt(socket_, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
        ::setsockopt(socket_, SOL_PACKET, PACKET_TX_RING, &shape, sizeof(shape)) != 0)
      return false;
    void* const memory = ::mmap(nullptr, 4096 * 64, PROT_READ | PROT_WRITE, MAP_SHARED, socket_, 0);
    ring_ = static_cast<char*>(memory);
    return memory != MAP_FAILED &&
           ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  void fill(int frames) {
    for (int i = 0; i < frames; i++, next_ = (next_ + 1) % 128) {
      auto* const head = reinterpret_cast<tpacket2_hdr*>(ring_ + next_ * 2048);
      char* const frame = reinterpret_cast<char*>(head) + TPACKET2_HDRLEN - sizeof(sockaddr_ll);
      std::memset(frame, 0, kFrameBytes);
      frame[12] = static_cast<char>(0x88);
      frame[13] = static_cast<char>(0xb5);
      head->tp_len = kFrameBytes;
      head->tp_status = TP_STATUS_SEND_REQUEST;
    }
  }
  int socket() const { return socket_; }

 private:
  int socket_ = -1;
  int next_ = 0;
  char* ring_ = nullptr;
};

TEST_P(Messages, FramesInAMappedRingAreNotCopiedByTheCallThatSendsThem) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        PacketRing ring;
        // Uses the host's network: in a new one the loopback device is down and sends nothing.
        if (!ring.open()) return 77;
        ring.fill(50);
        if (::sendto(ring.socket(), nullptr, 0, 0, nullptr, 0) != 50 * kFrameBytes) return 1;
        ring.fill(30);
        msghdr nothing{};
        if (::sendmsg(ring.socket(), &nothing, 0) != 30 * kFrameBytes) return 2;
        ring.fill(20);
        mmsghdr one{};
        if (::sendmmsg(ring.socket(), &one, 1, 0) != 1) return 3;
        return one.msg_len == 20 * kFrameBytes ? 0 : 4;
      },
      probes());
  if (seen.exit_code == 77) GTEST_SKIP() << "no packet sockets here";
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("sendto").calls, 1u);
  EXPECT_EQ(seen.row("sendto").bytes, 0u);
  EXPECT_EQ(seen.row("sendmsg").calls, 1u);
  EXPECT_EQ(seen.row("sendmsg").bytes, 0u);
  EXPECT_EQ(seen.row("sendmmsg").bytes, 0u);
  EXPECT_EQ(seen.child().copied_bytes(), 0u);
  EXPECT_EQ(seen.completeness.lost_events(), 0u);
}

TEST_P(Messages, FramesThatAreGivenToAPacketSocketAreCopied) {
  ZC_NEEDS_PROBES();
  const Observation seen = observe(
      [] {
        std::array<char, kFrameBytes> frame{};
        frame[12] = static_cast<char>(0x88);
        frame[13] = static_cast<char>(0xb5);
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
        auto* const name = reinterpret_cast<sockaddr*>(&address);
        iovec part = {frame.data(), frame.size()};
        msghdr message{};
        message.msg_name = name;
        message.msg_namelen = sizeof(address);
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        const int socket = ::socket(AF_PACKET, SOCK_RAW, 0);
        if (socket < 0) return 77;
        for (int i = 0; i < 3; i++) {
          if (::sendto(socket, frame.data(), frame.size(), 0, name, sizeof(address)) != kFrameBytes)
            return 1;
          if (::sendmsg(socket, &message, 0) != kFrameBytes) return 2;
        }
        return 0;
      },
      probes());
  if (seen.exit_code == 77) GTEST_SKIP() << "no packet sockets here";
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(seen.row("sendto", Kind::user, Kind::socket).bytes, 3u * kFrameBytes);
  EXPECT_EQ(seen.row("sendmsg", Kind::user, Kind::socket).bytes, 3u * kFrameBytes);
}

}  // namespace
}  // namespace zctrace::testing
