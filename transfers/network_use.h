// SPDX-License-Identifier: MIT
// What a socket hands to network devices.
#pragma once

#include <cstdint>
#include <optional>

#include "collector/os/descriptor.h"

namespace zctrace::transfers {

// Whether the route from a connected IPv4 or IPv6 socket to its peer is over a network device other
// than a loopback, by the routing tables of this process's network namespace. nullopt: it is no
// such socket, or the kernel does not say.
std::optional<bool> leaves_by_a_device(const Descriptor& socket);

// Bytes of data that a TCP socket has sent so far, connected or not any more. Without headers, and
// with what it sent again. nullopt: it is not a TCP socket, or the kernel does not say (before
// Linux 4.19).
std::optional<std::uint64_t> tcp_sent_bytes(const Descriptor& socket);

}  // namespace zctrace::transfers
