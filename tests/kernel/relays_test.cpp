// SPDX-License-Identifier: MIT
// Which bytes the kernel side recognizes as only passed on.
#include "observed.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <thread>
#include <vector>

namespace zctrace::testing {
namespace {

constexpr std::size_t kBlock = 16384;
constexpr std::size_t kBlocks = 16;
constexpr std::uint64_t kBytes = kBlock * kBlocks;

// Two files without names; the bytes of the first differ from one position to the next.
class Relays : public InBothModes {
 protected:
  void SetUp() override {
    ZC_NEEDS_PROBES();
    source_ = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
    sink_ = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
    ASSERT_GE(source_, 0);
    ASSERT_GE(sink_, 0);
    std::vector<std::uint32_t> bytes(kBytes / sizeof(std::uint32_t));
    std::iota(bytes.begin(), bytes.end(), 1u << 24);
    ASSERT_EQ(::write(source_, bytes.data(), kBytes), static_cast<ssize_t>(kBytes));
    ::lseek(source_, 0, SEEK_SET);
  }
  void TearDown() override {
    ::close(source_);
    ::close(sink_);
  }

  static Observation relayed(const Body& body) {
    ProbeOptions options = probes();
    options.channels = options.relays = true;
    return observe(body, options);
  }

  // Of all pairs of calls and channels.
  static Relay sum(const Observation& seen) {
    Relay sum;
    for (const Process& process : seen.processes)
      for (const Relay& relay : process.relays) {
        sum.bytes += relay.bytes;
        sum.reads += relay.reads;
        sum.writes += relay.writes;
      }
    return sum;
  }

  bool fill(char* buffer, std::size_t bytes) const {
    return ::read(source_, buffer, bytes) == static_cast<ssize_t>(bytes);
  }
  bool empty(const char* buffer, std::size_t bytes) const {
    return ::write(sink_, buffer, bytes) == static_cast<ssize_t>(bytes);
  }

  int source_ = -1;
  int sink_ = -1;
};

ZC_IN_BOTH_MODES(Relays);

TEST_P(Relays, OfAReadAndAWriteAreExactAndNameBothEnds) {
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBlock);
    for (std::size_t i = 0; i < kBlocks; i++)
      if (!fill(buffer.data(), kBlock) || !empty(buffer.data(), kBlock)) return 1;
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  ASSERT_EQ(seen.child().relays.size(), 1u);
  const Relay& relay = seen.child().relays.front();
  EXPECT_EQ(relay.from.syscall, "read");
  EXPECT_EQ(relay.to.syscall, "write");
  EXPECT_EQ(relay.from.kind, Kind::file);
  EXPECT_EQ(relay.to.kind, Kind::file);
  struct stat status = {};
  ::fstat(source_, &status);
  EXPECT_EQ(relay.from.channel.inode, status.st_ino);
  ::fstat(sink_, &status);
  EXPECT_EQ(relay.to.channel.inode, status.st_ino);
  EXPECT_EQ(relay.bytes, kBytes);
  EXPECT_EQ(relay.reads, kBlocks);
  EXPECT_EQ(relay.writes, kBlocks);
}

TEST_P(Relays, IntoAFileThatIsOpenForAppendingSaySo) {
  for (const bool appends : {false, true}) {
    ASSERT_EQ(::lseek(source_, 0, SEEK_SET), 0);
    const Observation seen = relayed([&] {
      std::vector<char> buffer(kBlock);
      if (::fcntl(sink_, F_SETFL, appends ? O_APPEND : 0) != 0) return 1;
      return fill(buffer.data(), kBlock) && empty(buffer.data(), kBlock) ? 0 : 1;
    });
    EXPECT_EQ(sum(seen).bytes, kBlock);
    const std::vector<Relay>& relays = seen.processes.at(0).relays;
    ASSERT_EQ(relays.size(), 1u);
    EXPECT_EQ(relays[0].appends, appends);
  }
}

TEST_P(Relays, OfPartialWritesAddUp) {
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBlock);
    for (std::size_t i = 0; i < kBlocks; i++) {
      if (!fill(buffer.data(), kBlock)) return 1;
      for (std::size_t at = 0; at < kBlock; at += 1000)
        if (!empty(buffer.data() + at, std::min<std::size_t>(1000, kBlock - at))) return 2;
    }
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kBytes);
  EXPECT_EQ(sum(seen).reads, kBlocks);
  EXPECT_EQ(sum(seen).writes, kBlocks * (kBlock / 1000 + 1));
}

TEST_P(Relays, OfReadsThatAreWrittenTogether) {
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBlock);
    for (std::size_t i = 0; i < kBlocks; i++) {
      for (std::size_t at = 0; at < kBlock; at += 4096)
        if (!fill(buffer.data() + at, 4096)) return 1;
      if (!empty(buffer.data(), kBlock)) return 2;
    }
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kBytes);
  EXPECT_EQ(sum(seen).reads, 4 * kBlocks);
  EXPECT_EQ(sum(seen).writes, kBlocks);
}

TEST_P(Relays, OfVectorsAndOfMessagesWithAHeaderOfTheProgramsOwn) {
  const Observation seen = relayed([&] {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) return 1;
    std::vector<char> one(kBlock / 2);
    std::vector<char> two(kBlock / 2);
    std::vector<char> drained(kBlock + 100);
    std::array<char, 100> header{};
    for (std::size_t i = 0; i < kBlocks; i++) {
      std::array<iovec, 2> into{{{one.data(), one.size()}, {two.data(), two.size()}}};
      if (::readv(source_, into.data(), 2) != static_cast<ssize_t>(kBlock)) return 2;
      std::array<iovec, 3> from{{{header.data(), header.size()}, into[0], into[1]}};
      msghdr message{};
      message.msg_iov = from.data();
      message.msg_iovlen = from.size();
      const ssize_t sent =
          i % 2 == 0 ? ::writev(pair[0], from.data(), 3) : ::sendmsg(pair[0], &message, 0);
      if (sent != static_cast<ssize_t>(kBlock + 100)) return 3;
      if (::recv(pair[1], drained.data(), drained.size(), MSG_WAITALL) != sent) return 4;
    }
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kBytes);
  EXPECT_EQ(sum(seen).writes, kBlocks);
}

TEST_P(Relays, OfAnotherThreadOfTheProcess) {
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBlock);
    for (std::size_t i = 0; i < kBlocks; i++) {
      bool read = false;
      bool written = false;
      std::thread([&] { read = fill(buffer.data(), kBlock); }).join();
      std::thread([&] { written = empty(buffer.data(), kBlock); }).join();
      if (!read || !written) return 1;
    }
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kBytes);
}

TEST_P(Relays, SeveralBuffersInTurn) {
  const Observation seen = relayed([&] {
    std::vector<std::vector<char>> buffers(kBlocks, std::vector<char>(kBlock));
    for (auto& buffer : buffers)
      if (!fill(buffer.data(), kBlock)) return 1;
    for (auto& buffer : buffers)
      if (!empty(buffer.data(), kBlock)) return 2;
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kBytes);
}

TEST_P(Relays, ChangedBytesAreNone) {
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBlock);
    for (std::size_t i = 0; i < kBlocks; i++) {
      if (!fill(buffer.data(), kBlock)) return 1;
      for (char& byte : buffer) byte = static_cast<char>(byte ^ 0x55);
      for (std::size_t at = 0; at < kBlock; at += 1024)
        if (!empty(buffer.data() + at, 1024)) return 2;
    }
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, 0u);
}

// As a program does that encrypts record after record where it read them.
TEST_P(Relays, BytesThatAreChangedPieceByPieceAreNone) {
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBlock);
    for (std::size_t i = 0; i < kBlocks; i++) {
      if (!fill(buffer.data(), kBlock)) return 1;
      for (std::size_t at = 0; at < kBlock; at += 1024) {
        for (std::size_t k = 0; k < 1024; k++)
          buffer[at + k] = static_cast<char>(buffer[at + k] ^ 0x55);
        if (!empty(buffer.data() + at, 1024)) return 2;
      }
    }
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, 0u);
}

// Of a small piece only both ends are compared.
TEST_P(Relays, OfSmallPiecesAreExactAndChangedOnesAreNone) {
  constexpr std::size_t kSmall = 512;
  for (const bool changes : {false, true}) {
    ASSERT_EQ(::lseek(source_, 0, SEEK_SET), 0);
    const Observation seen = relayed([&] {
      std::vector<char> buffer(kSmall);
      for (std::size_t i = 0; i < kBytes / kSmall; i++) {
        if (!fill(buffer.data(), kSmall)) return 1;
        for (char& byte : buffer)
          if (changes) byte = static_cast<char>(byte ^ 0x55);
        for (std::size_t at = 0; at < kSmall; at += kSmall / 4)
          if (!empty(buffer.data() + at, kSmall / 4)) return 2;
      }
      return 0;
    });
    ASSERT_EQ(seen.exit_code, 0);
    EXPECT_EQ(sum(seen).bytes, changes ? 0 : kBytes);
  }
}

TEST_P(Relays, OfMorePiecesThanTheListHasAreTheLatest) {
  constexpr std::size_t kPieces = 64;
  constexpr std::size_t kListed = 32;
  constexpr std::size_t kPiece = kBytes / kPieces;
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBytes);
    for (std::size_t at = 0; at < kBytes; at += kPiece)
      if (!fill(buffer.data() + at, kPiece)) return 1;
    return empty(buffer.data(), kBytes) ? 0 : 2;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kListed * kPiece);
  EXPECT_EQ(sum(seen).reads, kListed);
  EXPECT_EQ(sum(seen).writes, 1u);
}

// The bytes are the same, but they came from the device.
TEST_P(Relays, WhatADeviceOverwritesIsNone) {
  const int zeros = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
  ASSERT_GE(zeros, 0);
  ASSERT_EQ(::ftruncate(zeros, kBlock), 0);
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBlock);
    const int device = ::open("/dev/zero", O_RDONLY);
    if (::read(zeros, buffer.data(), kBlock) != static_cast<ssize_t>(kBlock)) return 1;
    if (::read(device, buffer.data(), kBlock / 2) != static_cast<ssize_t>(kBlock / 2)) return 2;
    return empty(buffer.data(), kBlock) ? 0 : 3;
  });
  ::close(zeros);
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kBlock / 2);
}

TEST_P(Relays, BytesFromElsewhereAreNone) {
  const Observation seen = relayed([&] {
    std::vector<char> in(kBlock);
    std::vector<char> out(kBlock, 'x');
    for (std::size_t i = 0; i < kBlocks; i++)
      if (!fill(in.data(), kBlock) || !empty(out.data(), kBlock)) return 1;
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, 0u);
}

TEST_P(Relays, AByteCountsOnceHoweverOftenItIsWritten) {
  const Observation seen = relayed([&] {
    std::vector<char> buffer(kBlock);
    for (std::size_t i = 0; i < kBlocks; i++)
      if (!fill(buffer.data(), kBlock) || !empty(buffer.data(), kBlock) ||
          !empty(buffer.data(), kBlock))
        return 1;
    return 0;
  });
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kBytes);
}

TEST_P(Relays, NothingIsCountedUnlessAskedFor) {
  ProbeOptions options = probes();
  options.channels = true;
  const Observation seen = observe(
      [&] {
        std::vector<char> buffer(kBlock);
        return fill(buffer.data(), kBlock) && empty(buffer.data(), kBlock) ? 0 : 1;
      },
      options);
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_TRUE(seen.child().relays.empty());
}

// Pairs of channels without space count without names.
TEST_P(Relays, WithoutSpaceTheBytesAreCountedStill) {
  ProbeOptions options = probes();
  options.channels = options.relays = true;
  options.room = {{"relays", 8}};
  const Observation seen = observe(
      [&] {
        std::vector<char> buffer(kBlock);
        for (std::size_t i = 0; i < kBlocks; i++) {
          const int sink = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
          const bool moved = fill(buffer.data(), kBlock) &&
                             ::write(sink, buffer.data(), kBlock) == static_cast<ssize_t>(kBlock);
          ::close(sink);
          if (!moved) return 1;
        }
        return 0;
      },
      options);
  ASSERT_EQ(seen.exit_code, 0);
  EXPECT_EQ(sum(seen).bytes, kBytes);
  EXPECT_LT(seen.child().relays.size(), kBlocks);
}

}  // namespace
}  // namespace zctrace::testing
