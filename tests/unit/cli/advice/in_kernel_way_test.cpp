// SPDX-License-Identifier: MIT
// Which calls the kernel allows for two ends: the table in docs/methods.md, "What is legal".
#include "cli/advice/in_kernel_way.h"

#include <gtest/gtest.h>

#include "tests/unit/cli/advice/advice_reports.h"
#include "transfers/method.h"

namespace zctrace {
namespace {

InKernelWay way(Kind from, Kind to, Protocol from_protocol = Protocol::none,
                Protocol to_protocol = Protocol::none) {
  return in_kernel_way({from, to, from_protocol, to_protocol, channel(1), channel(2)});
}

InKernelWay to_socket(Kind from, Protocol protocol) {
  return way(from, Kind::socket, Protocol::none, protocol);
}

TEST(InKernelWay, CopiesBetweenFilesOfOneFileSystemByCopyFileRange) {
  const InKernelWay found = way(Kind::file, Kind::file);
  EXPECT_EQ(found.instead, "copy_file_range");
  EXPECT_TRUE(found.legal);
  EXPECT_EQ(found.copies, 1u);
  EXPECT_EQ(way(Kind::fuse, Kind::fuse).instead, "copy_file_range");
}

TEST(InKernelWay, CopiesBetweenFileSystemsBySendfile) {
  PassedOn ends = {Kind::file,     Kind::file,    Protocol::none,
                   Protocol::none, channel(1, 1), channel(2, 2)};
  EXPECT_EQ(in_kernel_way(ends).instead, "sendfile");
  EXPECT_TRUE(in_kernel_way(ends).legal);
  EXPECT_NE(in_kernel_way(ends).why.find("EXDEV"), std::string::npos);
  // Works in any case if it is not known where they are.
  ends.to_channel = {};
  EXPECT_EQ(in_kernel_way(ends).instead, "sendfile");
  EXPECT_EQ(way(Kind::fuse, Kind::file).instead, "sendfile");
}

TEST(InKernelWay, SendsFilesToSocketsBySendfileWithoutACopy) {
  for (const Protocol protocol : {Protocol::tcp, Protocol::unix_socket}) {
    const InKernelWay found = to_socket(Kind::file, protocol);
    EXPECT_EQ(found.instead, "sendfile");
    EXPECT_TRUE(found.legal);
    EXPECT_EQ(found.copies, 0u);
    EXPECT_FALSE(found.through_pipe);
  }
  EXPECT_EQ(to_socket(Kind::fuse, Protocol::tcp).instead, "sendfile");
}

TEST(InKernelWay, LeavesOneCopyToSocketsThatTakeNoPages) {
  EXPECT_EQ(to_socket(Kind::file, Protocol::tls).copies, 1u);
  EXPECT_EQ(to_socket(Kind::file, Protocol::vsock).copies, 1u);
  EXPECT_TRUE(to_socket(Kind::file, Protocol::tls).legal);
}

TEST(InKernelWay, SplicesWhereOneEndIsAPipe) {
  for (const auto& [from, to] :
       {std::pair(Kind::file, Kind::pipe), std::pair(Kind::pipe, Kind::file),
        std::pair(Kind::pipe, Kind::pipe)}) {
    EXPECT_EQ(way(from, to).instead, "splice");
    EXPECT_TRUE(way(from, to).legal);
    EXPECT_FALSE(way(from, to).through_pipe);
  }
  EXPECT_EQ(way(Kind::pipe, Kind::file).copies, 1u);
  EXPECT_EQ(way(Kind::file, Kind::pipe).copies, 0u);
  const InKernelWay received = way(Kind::socket, Kind::pipe, Protocol::tcp);
  EXPECT_EQ(received.instead, "splice");
  EXPECT_FALSE(received.through_pipe);
}

TEST(InKernelWay, SplicesFromSocketsThroughAPipe) {
  const InKernelWay between = way(Kind::socket, Kind::socket, Protocol::tcp, Protocol::tcp);
  EXPECT_EQ(between.instead, "splice");
  EXPECT_TRUE(between.legal);
  EXPECT_TRUE(between.through_pipe);
  EXPECT_EQ(between.copies, 0u);
  const InKernelWay stored = way(Kind::socket, Kind::file, Protocol::unix_socket);
  EXPECT_TRUE(stored.through_pipe);
  EXPECT_EQ(stored.copies, 1u);
}

TEST(InKernelWay, RefusesFilesOpenForAppendingWithTheErrnoOfEachCall) {
  PassedOn ends = {Kind::file, Kind::file, Protocol::none, Protocol::none, channel(1), channel(2)};
  ends.appends = true;
  EXPECT_FALSE(in_kernel_way(ends).legal);
  EXPECT_EQ(in_kernel_way(ends).instead, "copy_file_range");
  EXPECT_NE(in_kernel_way(ends).why.find("EBADF"), std::string::npos);
  ends.to_channel = channel(2, 9);
  EXPECT_NE(in_kernel_way(ends).why.find("sendfile fails with EINVAL"), std::string::npos);
  ends.from = Kind::socket;
  ends.from_protocol = Protocol::tcp;
  EXPECT_FALSE(in_kernel_way(ends).legal);
  EXPECT_NE(in_kernel_way(ends).why.find("splice fails with EINVAL"), std::string::npos);
}

TEST(InKernelWay, RefusesSocketsOfMessages) {
  EXPECT_FALSE(way(Kind::socket, Kind::socket, Protocol::udp, Protocol::tcp).legal);
  EXPECT_FALSE(to_socket(Kind::file, Protocol::udp).legal);
  EXPECT_FALSE(to_socket(Kind::file, Protocol::netlink).legal);
  EXPECT_EQ(to_socket(Kind::file, Protocol::udp).instead, "");
  EXPECT_NE(to_socket(Kind::file, Protocol::udp).why, "");
}

TEST(InKernelWay, RefusesSocketsThatCannotBeSplicedFrom) {
  for (const Protocol protocol : {Protocol::vsock, Protocol::alg, Protocol::other})
    EXPECT_FALSE(way(Kind::socket, Kind::file, protocol).legal);
}

TEST(InKernelWay, HasNothingToSayOfDevices) {
  EXPECT_EQ(way(Kind::file, Kind::device).why, "");
  EXPECT_EQ(way(Kind::device, Kind::file).why, "");
  EXPECT_EQ(way(Kind::other, Kind::socket).why, "");
}

TEST(InKernelWay, CountsCallsOfTheSameSize) {
  const InKernelWay direct = to_socket(Kind::file, Protocol::tcp);
  EXPECT_EQ(calls_with_same_size(direct, {100 * 4096, 100, 100}), 100u);
  EXPECT_EQ(calls_at_least(direct, {100 * 4096, 100, 100}), 1u);
  EXPECT_EQ(calls_at_least(direct, {2 * transfers::kMaxCallBytes + 1, 9, 9}), 3u);
  // Short writes are as short in the kernel.
  EXPECT_EQ(calls_with_same_size(direct, {100 * 4096, 100, 150}), 150u);
}

TEST(InKernelWay, MovesNoMoreThanAPipeHolds) {
  const InKernelWay into_pipe = way(Kind::file, Kind::pipe);
  EXPECT_EQ(calls_with_same_size(into_pipe, {64 * kMiB, 512, 512}), 1024u);
  EXPECT_EQ(calls_at_least(into_pipe, {64 * kMiB, 512, 512}), 64u);
}

TEST(InKernelWay, SplicesTwiceThroughItsOwnPipe) {
  const InKernelWay through = way(Kind::socket, Kind::socket, Protocol::tcp, Protocol::tcp);
  EXPECT_EQ(calls_with_same_size(through, {70 * 4096, 70, 50}), 120u);
  EXPECT_EQ(calls_at_least(through, {64 * kMiB, 1024, 1024}), 128u);
  // A buffer larger than the largest pipe takes more calls than before.
  EXPECT_EQ(calls_with_same_size(through, {64 * kMiB, 16, 16}), 128u);
}

}  // namespace
}  // namespace zctrace
