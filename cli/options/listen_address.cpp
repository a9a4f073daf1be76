// SPDX-License-Identifier: MIT
// Parsing, and a socket whose errors name the address.
#include "cli/options/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <stdexcept>

#include "collector/os/error.h"

namespace zctrace {
namespace {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;
};

bool to_socket_address(const ListenAddress& address, SocketAddress& socket_address) {
  if (address.is_ipv6) {
    auto* const ipv6 = reinterpret_cast<sockaddr_in6*>(&socket_address.storage);
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(address.port);
    socket_address.length = sizeof(*ipv6);
    return ::inet_pton(AF_INET6, address.host.c_str(), &ipv6->sin6_addr) == 1;
  }
  auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&socket_address.storage);
  ipv4->sin_family = AF_INET;
  ipv4->sin_port = htons(address.port);
  socket_address.length = sizeof(*ipv4);
  return ::inet_pton(AF_INET, address.host.c_str(), &ipv4->sin_addr) == 1;
}

}  // namespace

std::string ListenAddress::text() const {
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

ListenAddress parse_listen_address(std::string_view text) {
  const char* const wanted = "give an address and a port, e.g. 127.0.0.1:9435 or [::1]:9435";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) throw std::invalid_argument(wanted);
  ListenAddress address;
  std::string_view host = text.substr(0, colon);
  address.is_ipv6 = host.starts_with('[') && host.ends_with(']');
  if (address.is_ipv6) host = host.substr(1, host.size() - 2);
  address.host = host;
  const std::string_view port = text.substr(colon + 1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size())
    throw std::invalid_argument("a port must be a number from 0 to 65535");
  SocketAddress checked;
  // A zero byte would end it for inet_pton(), but not for the server.
  if (host.find('\0') != std::string_view::npos || !to_socket_address(address, checked))
    throw std::invalid_argument(wanted);
  return address;
}

ListenAddress parse_listen_option(const std::string& text) {
  try {
    return parse_listen_address(text);
  } catch (const std::invalid_argument& error) {
    throw Error("--listen: invalid address '" + text + "': " + error.what(), kExitUsage);
  }
}

Descriptor listen_on(const ListenAddress& address) {
  SocketAddress at;
  to_socket_address(address, at);
  const std::string what = "cannot listen on " + address.text();
  Descriptor listener(
      ::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) throw system_error(what, errno);
  // Connections of a server that has just ended are no obstacle.
  const int yes = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&at.storage), at.length) == 0 &&
      ::listen(listener.get(), SOMAXCONN) == 0)
    return listener;
  const int error = errno;
  const char* advice = "";
  if (error == EADDRINUSE) advice = "; choose another port with --listen";
  if (error == EADDRNOTAVAIL)
    advice = "; give an address of this machine, or 0.0.0.0 for all of them";
  throw Error(system_error(what, error).what() + std::string(advice));
}

std::uint16_t bound_port(const Descriptor& listener) {
  SocketAddress at;
  at.length = sizeof(at.storage);
  if (::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at.storage), &at.length) != 0)
    throw system_error("cannot find the port of a socket", errno);
  // The port is at the same place in both kinds of address.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&at.storage)->sin_port);
}

}  // namespace zctrace
