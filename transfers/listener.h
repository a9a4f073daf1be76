// SPDX-License-Identifier: MIT
// Sockets that wait for a connection on this machine.
#pragma once

#include <cstdint>
#include <string>

#include "collector/os/descriptor.h"

namespace zctrace::transfers {

struct TcpListener {
  Descriptor socket;
  std::uint16_t port = 0;
};

// On 127.0.0.1, at a port that the kernel chooses. Throws SetupError.
TcpListener listen_on_loopback();

// A Unix stream socket that every user may connect to, with a new name at `path`. Throws
// SetupError.
Descriptor listen_at(const std::string& path);

}  // namespace zctrace::transfers
