// SPDX-License-Identifier: MIT
// Makes the sockets.
#include "transfers/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "transfers/error.h"

namespace zctrace::transfers {

TcpListener listen_on_loopback() {
  TcpListener listener{Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener.socket || ::bind(listener.socket.get(), generic, sizeof address) != 0 ||
      ::listen(listener.socket.get(), 1) != 0 ||
      ::getsockname(listener.socket.get(), generic, &bytes) != 0)
    throw SetupError(errno, "listen on 127.0.0.1");
  listener.port = ::ntohs(address.sin_port);
  return listener;
}

Descriptor listen_at(const std::string& path) {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw SetupError(ENAMETOOLONG, "listen at " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  constexpr mode_t kEveryUser = 0666;
  if (!socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), kEveryUser) != 0 || ::listen(socket.get(), 1) != 0)
    throw SetupError(errno, "listen at " + path);
  return socket;
}

}  // namespace zctrace::transfers
