// SPDX-License-Identifier: MIT
// Reads the records of bpf/channels/names.bpf.c.
#include "collector/observe/channels/channel_names.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "collector/model/report.h"
#include "collector/observe/kernel_records.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

std::string text_of(const char* text, std::size_t most) { return {text, ::strnlen(text, most)}; }

SocketEnd inet_end(int family, const zc_socket_end& end) {
  char text[INET6_ADDRSTRLEN] = {};
  if (::inet_ntop(family, end.address, text, sizeof(text)) == nullptr) return {};
  const std::string address = family == AF_INET6 ? "[" + std::string(text) + "]" : text;
  return {address + ":" + (end.port == 0 ? "*" : std::to_string(end.port)), end.port};
}

// An abstract name begins with a zero byte and may have others.
SocketEnd unix_end(const zc_socket_end& end) {
  const std::size_t bytes = std::min<std::size_t>(end.path_bytes, ZC_SOCKET_PATH_BYTES);
  if (bytes == 0) return {};
  if (end.path[0] != 0) return {text_of(end.path, bytes), 0};
  std::string name = "@" + std::string(end.path + 1, bytes - 1);
  std::replace(name.begin() + 1, name.end(), '\0', '@');
  return {name, 0};
}

std::uint32_t vsock_context(const zc_socket_end& end) {
  std::uint32_t context = 0;
  std::memcpy(&context, end.address, sizeof(context));
  return context;
}

// As ss has it: a client that did not bind has no context of its own. Empty: a remote end that is
// not set.
SocketEnd vsock_end(const zc_socket_end& end) {
  if (end.port == VMADDR_PORT_ANY) return {};
  const std::uint32_t context = vsock_context(end);
  const std::string name = context == VMADDR_CID_ANY ? "*" : std::to_string(context);
  return {name + ":" + std::to_string(end.port), end.port};
}

Protocol inet_protocol(std::uint32_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
    case IPPROTO_MPTCP: return Protocol::tcp;
    case IPPROTO_UDP: return Protocol::udp;
    default: return Protocol::other;
  }
}

void name_socket(ChannelName& name, const zc_socket_name& socket) {
  switch (socket.family) {
    case AF_INET:
    case AF_INET6:
      name.protocol = inet_protocol(socket.protocol);
      name.local = inet_end(socket.family, socket.local);
      name.bound = socket.bound != 0;
      if (socket.connected != 0) name.remote = inet_end(socket.family, socket.remote);
      break;
    case AF_UNIX:
      name.protocol = Protocol::unix_socket;
      name.local = unix_end(socket.local);
      name.remote = unix_end(socket.remote);
      name.peer_inode = socket.peer_inode;
      name.peer_pid = socket.peer_pid;
      break;
    case AF_VSOCK:
      name.protocol = Protocol::vsock;
      name.local = vsock_end(socket.local);
      name.remote = vsock_end(socket.remote);
      name.bound = vsock_context(socket.local) != VMADDR_CID_ANY;
      break;
    case AF_NETLINK:
      name.protocol = Protocol::netlink;
      name.local = {std::to_string(socket.local.port), 0};
      name.remote = {std::to_string(socket.remote.port), 0};
      break;
    case AF_ALG: name.protocol = Protocol::alg; break;
    default: name.protocol = Protocol::other; break;
  }
}

}  // namespace

std::optional<std::pair<ChannelId, ChannelName>> parse_channel_name(std::string_view record) {
  zc_channel_name head;
  if (record.size() < sizeof(head)) return std::nullopt;
  std::memcpy(&head, record.data(), sizeof(head));
  record.remove_prefix(sizeof(head));
  if (record.size() < head.bytes) return std::nullopt;
  ChannelName name;
  name.kind = kind_of(head.kind);
  name.file_system = text_of(head.file_system, sizeof(head.file_system));
  name.deleted = (head.flags & ZC_PATH_DELETED) != 0;
  name.cut = (head.flags & ZC_PATH_CUT) != 0;
  if (head.kind == ZC_SOCKET) {
    zc_socket_name socket;
    if (head.bytes < sizeof(socket)) return std::nullopt;
    std::memcpy(&socket, record.data(), sizeof(socket));
    name_socket(name, socket);
  } else {
    name.path = std::string(record.substr(0, head.bytes));
    // The root of the process, or of a file system.
    if (name.path.empty()) name.path = "/";
  }
  return std::pair{ChannelId{head.channel.inode, head.channel.device, head.channel.generation},
                   std::move(name)};
}

void ChannelNames::FreeNames::operator()(ring_buffer* buffer) const { ring_buffer__free(buffer); }

ChannelNames::ChannelNames(int names) {
  const auto add = [](void* owner, void* record, std::size_t size) noexcept -> int {
    auto* const self = static_cast<ChannelNames*>(owner);
    if (auto name = parse_channel_name({static_cast<const char*>(record), size}))
      self->names_.insert_or_assign(name->first, std::move(name->second));
    return 0;
  };
  buffer_.reset(ring_buffer__new(names, add, this, nullptr));
  if (!buffer_)
    throw system_error("cannot map the names of files and peers", errno, kExitCannotRun);
}

void ChannelNames::read() { ring_buffer__consume(buffer_.get()); }

const ChannelName* ChannelNames::find(const ChannelId& channel) const {
  const auto found = names_.find(channel);
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace zctrace
