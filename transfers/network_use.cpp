// SPDX-License-Identifier: MIT
// Asks rtnetlink for the route, and TCP for what it has sent.
#include "transfers/network_use.h"

#include <linux/rtnetlink.h>
#include <linux/tcp.h>  // glibc's struct tcp_info ends before tcpi_bytes_sent
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace zctrace::transfers {
namespace {

// In network byte order; empty: neither IPv4 nor IPv6.
std::string address_of(const Descriptor& socket, decltype(::getsockname)* which) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  if (which(socket.get(), reinterpret_cast<sockaddr*>(&storage), &bytes) != 0) return "";
  const auto text = [](const auto& address) {
    return std::string(reinterpret_cast<const char*>(&address), sizeof address);
  };
  if (storage.ss_family == AF_INET)
    return text(reinterpret_cast<const sockaddr_in&>(storage).sin_addr);
  if (storage.ss_family != AF_INET6) return "";
  const in6_addr& address = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
  const std::string all = text(address);
  return IN6_IS_ADDR_V4MAPPED(&address) ? all.substr(12) : all;
}

struct RouteRequest {
  nlmsghdr header{};
  rtmsg route{};
  char attributes[64]{};

  void add(unsigned short type, const std::string& value) {
    auto* const attribute =
        reinterpret_cast<rtattr*>(reinterpret_cast<char*>(this) + header.nlmsg_len);
    attribute->rta_type = type;
    attribute->rta_len = static_cast<unsigned short>(RTA_LENGTH(value.size()));
    std::memcpy(RTA_DATA(attribute), value.data(), value.size());
    header.nlmsg_len += RTA_ALIGN(attribute->rta_len);
  }
};

// The index of the device that the answer names; 0: none.
int device_in(const char* answer, std::size_t bytes) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (!NLMSG_OK(header, bytes) || header->nlmsg_type != RTM_NEWROUTE) return 0;
  auto* const route = static_cast<const rtmsg*>(NLMSG_DATA(header));
  std::size_t left = RTM_PAYLOAD(header);
  for (const rtattr* attribute = RTM_RTA(route); RTA_OK(attribute, left);
       attribute = RTA_NEXT(attribute, left)) {
    int index = 0;
    if (attribute->rta_type != RTA_OIF || RTA_PAYLOAD(attribute) < sizeof index) continue;
    std::memcpy(&index, RTA_DATA(attribute), sizeof index);
    return index;
  }
  return 0;
}

int device_to(const std::string& peer, const std::string& own) {
  const Descriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!netlink) return 0;
  RouteRequest request;
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.route);
  request.header.nlmsg_type = RTM_GETROUTE;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.route.rtm_family = peer.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  request.route.rtm_dst_len = static_cast<unsigned char>(8 * peer.size());
  request.route.rtm_src_len = static_cast<unsigned char>(8 * own.size());
  request.add(RTA_DST, peer);
  request.add(RTA_SRC, own);
  if (::send(netlink.get(), &request, request.header.nlmsg_len, 0) < 0) return 0;
  alignas(nlmsghdr) char answer[4096];
  const ssize_t bytes = ::recv(netlink.get(), answer, sizeof answer, 0);
  return bytes < 0 ? 0 : device_in(answer, static_cast<std::size_t>(bytes));
}

}  // namespace

std::optional<bool> leaves_by_a_device(const Descriptor& socket) {
  const std::string peer = address_of(socket, ::getpeername);
  const std::string own = address_of(socket, ::getsockname);
  if (peer.empty() || own.size() != peer.size()) return std::nullopt;
  const int index = device_to(peer, own);
  ifreq device{};
  if (index <= 0 || ::if_indextoname(static_cast<unsigned>(index), device.ifr_name) == nullptr ||
      ::ioctl(socket.get(), SIOCGIFFLAGS, &device) != 0)
    return std::nullopt;
  return (device.ifr_flags & IFF_LOOPBACK) == 0;
}

std::optional<std::uint64_t> tcp_sent_bytes(const Descriptor& socket) {
  tcp_info info{};
  socklen_t bytes = sizeof info;
  if (::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0 ||
      bytes < offsetof(tcp_info, tcpi_bytes_sent) + sizeof info.tcpi_bytes_sent)
    return std::nullopt;
  return info.tcpi_bytes_sent;
}

}  // namespace zctrace::transfers
