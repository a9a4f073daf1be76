// SPDX-License-Identifier: MIT
// Records of the kernel side, turned into names.
#include "collector/observe/channels/channel_names.h"

#include <gtest/gtest.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "collector/model/report.h"

namespace zctrace {
namespace {

std::string record(zc_channel_name head, const void* text, std::size_t bytes) {
  head.channel.inode = 4711;
  head.channel.device = 8 << 20 | 1;
  head.bytes = static_cast<std::uint32_t>(bytes);
  std::string record(sizeof(head) + bytes, '\0');
  std::memcpy(record.data(), &head, sizeof(head));
  std::memcpy(record.data() + sizeof(head), text, bytes);
  return record;
}

ChannelName file_name(const std::string& path, std::uint32_t flags = 0) {
  zc_channel_name head{};
  head.kind = ZC_FILE;
  head.flags = flags;
  std::strcpy(head.file_system, "ext4");
  return parse_channel_name(record(head, path.data(), path.size())).value().second;
}

ChannelName socket_name(const zc_socket_name& socket) {
  zc_channel_name head{};
  head.kind = ZC_SOCKET;
  return parse_channel_name(record(head, &socket, sizeof(socket))).value().second;
}

zc_socket_name inet_socket(std::uint16_t family, std::uint32_t protocol) {
  zc_socket_name socket{};
  socket.family = family;
  socket.protocol = protocol;
  socket.connected = 1;
  socket.local.port = 80;
  socket.remote.port = 51234;
  return socket;
}

void set_path(zc_socket_end& end, const std::string& path) {
  std::memcpy(end.path, path.data(), path.size());
  end.path_bytes = static_cast<std::uint32_t>(path.size());
}

TEST(ChannelNamesTest, OfFiles) {
  EXPECT_EQ(file_name("/srv/a file").path, "/srv/a file");
  EXPECT_EQ(file_name("/srv/a").file_system, "ext4");
  EXPECT_FALSE(file_name("/srv/a").deleted);
  EXPECT_TRUE(file_name("/srv/a", ZC_PATH_DELETED).deleted);
  EXPECT_TRUE(file_name("/deep", ZC_PATH_CUT).cut);
  EXPECT_EQ(file_name("").path, "/");
}

TEST(ChannelNamesTest, HoldWhatIdentifiesTheChannel) {
  zc_channel_name head{};
  head.kind = ZC_FILE;
  const auto parsed = parse_channel_name(record(head, "/a", 2));
  EXPECT_EQ(parsed->first.inode, 4711u);
  EXPECT_EQ(device_text(parsed->first.device), "8:1");
}

TEST(ChannelNamesTest, OfTcp) {
  zc_socket_name socket = inet_socket(AF_INET, IPPROTO_TCP);
  socket.local.address[0] = 127;
  socket.local.address[3] = 1;
  socket.remote.address[0] = 10;
  const ChannelName name = socket_name(socket);
  EXPECT_EQ(name.protocol, Protocol::tcp);
  EXPECT_EQ(name.local.text, "127.0.0.1:80");
  EXPECT_EQ(name.local.port, 80u);
  EXPECT_EQ(name.remote.text, "10.0.0.0:51234");
}

TEST(ChannelNamesTest, OfIpv6) {
  zc_socket_name socket = inet_socket(AF_INET6, IPPROTO_UDP);
  socket.local.address[15] = 1;
  const ChannelName name = socket_name(socket);
  EXPECT_EQ(name.protocol, Protocol::udp);
  EXPECT_EQ(name.local.text, "[::1]:80");
  EXPECT_EQ(name.remote.text, "[::]:51234");
}

TEST(ChannelNamesTest, WithoutAConnectionHaveNoRemoteEnd) {
  zc_socket_name socket = inet_socket(AF_INET, IPPROTO_UDP);
  socket.connected = 0;
  EXPECT_EQ(socket_name(socket).remote.text, "");
  socket.local.port = 0;
  EXPECT_EQ(socket_name(socket).local.text, "0.0.0.0:*");
}

TEST(ChannelNamesTest, OfUnixSockets) {
  zc_socket_name socket{};
  socket.family = AF_UNIX;
  socket.peer_pid = 42;
  set_path(socket.local, std::string("/run/x.sock\0", 12));
  set_path(socket.remote, std::string("\0abs\0tract", 10));
  const ChannelName name = socket_name(socket);
  EXPECT_EQ(name.local.text, "/run/x.sock");
  EXPECT_EQ(name.remote.text, "@abs@tract");
  EXPECT_EQ(name.peer_pid, 42u);
}

TEST(ChannelNamesTest, OfSocketsOfVirtualMachines) {
  zc_socket_name socket{};
  socket.family = AF_VSOCK;
  std::memset(socket.local.address, 0xff, sizeof(std::uint32_t));  // VMADDR_CID_ANY
  socket.local.port = 1304772263;
  socket.remote.address[0] = 2;
  socket.remote.port = 5000;
  EXPECT_EQ(socket_name(socket).protocol, Protocol::vsock);
  EXPECT_EQ(socket_name(socket).local.text, "*:1304772263");
  EXPECT_EQ(socket_name(socket).remote.text, "2:5000");
  EXPECT_EQ(socket_name(socket).remote.port, 5000u);
  EXPECT_FALSE(socket_name(socket).bound);
  socket.local.address[0] = 3;
  EXPECT_TRUE(socket_name(socket).bound);
  socket.remote.port = VMADDR_PORT_ANY;
  EXPECT_EQ(socket_name(socket).remote.text, "");
}

TEST(ChannelNamesTest, ARecordThatIsCutIsNone) {
  zc_channel_name head{};
  head.kind = ZC_FILE;
  const std::string whole = record(head, "/path", 5);
  for (std::size_t bytes = 0; bytes < whole.size(); bytes++)
    EXPECT_FALSE(parse_channel_name(std::string_view(whole).substr(0, bytes))) << bytes;
  head.kind = ZC_SOCKET;
  EXPECT_FALSE(parse_channel_name(record(head, "short", 5)));
}

TEST(ChannelNamesTest, ASocketPathWithAnImpossibleLengthIsCut) {
  zc_socket_name socket{};
  socket.family = AF_UNIX;
  std::memset(socket.local.path, 'a', sizeof(socket.local.path));
  socket.local.path_bytes = 100'000;
  EXPECT_EQ(socket_name(socket).local.text, std::string(ZC_SOCKET_PATH_BYTES, 'a'));
}

}  // namespace
}  // namespace zctrace
