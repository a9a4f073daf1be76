// SPDX-License-Identifier: MIT
// What sockets say of network devices, on this machine's loopback. tests/kernel has a device.
#include "transfers/network_use.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "transfers/sink.h"
#include "transfers/source.h"

namespace zctrace::transfers {
namespace {

Sink sink_of(SinkKind kind) {
  const Source source = Source::make(kTmpfsDirectory, 1);
  return make_sink({kind}, source);
}

TEST(NetworkUse, LoopbackIsNoDevice) {
  const Sink tcp = sink_of(SinkKind::tcp);
  EXPECT_EQ(leaves_by_a_device(tcp.out), false);
  EXPECT_EQ(leaves_by_a_device(tcp.drain_end), false);
}

TEST(NetworkUse, LoopbackOfIpv6IsNoDevice) {
  const Descriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = ::htons(9);
  address.sin6_addr = in6addr_loopback;
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    GTEST_SKIP() << "this machine has no IPv6";
  EXPECT_EQ(leaves_by_a_device(socket), false);
  EXPECT_EQ(tcp_sent_bytes(socket), std::nullopt);
}

TEST(NetworkUse, OtherDescriptorsHaveNoRoute) {
  const Sink local = sink_of(SinkKind::unix_stream);
  EXPECT_EQ(leaves_by_a_device(local.out), std::nullopt);
  EXPECT_EQ(tcp_sent_bytes(local.out), std::nullopt);
  EXPECT_EQ(leaves_by_a_device(sink_of(SinkKind::null).out), std::nullopt);
  const Descriptor unconnected(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(leaves_by_a_device(unconnected), std::nullopt);
}

TEST(NetworkUse, KnowsWhatTcpHasSentAlsoWhenTheConnectionHasEnded) {
  const Sink tcp = sink_of(SinkKind::tcp);
  const std::string text(1009, 'x');
  ASSERT_EQ(::write(tcp.out.get(), text.data(), text.size()), 1009);
  ::shutdown(tcp.out.get(), SHUT_WR);
  std::string received(2000, ' ');
  EXPECT_EQ(::recv(tcp.drain_end.get(), received.data(), received.size(), MSG_WAITALL), 1009);
  EXPECT_EQ(tcp_sent_bytes(tcp.out), 1009U);
  ::shutdown(tcp.drain_end.get(), SHUT_WR);
  EXPECT_EQ(::recv(tcp.out.get(), received.data(), received.size(), 0), 0);
  EXPECT_EQ(tcp_sent_bytes(tcp.out), 1009U);
}

}  // namespace
}  // namespace zctrace::transfers
