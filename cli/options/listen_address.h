// SPDX-License-Identifier: MIT
// Where a server listens, as --listen says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collector/os/descriptor.h"

namespace zctrace {

struct ListenAddress {
  std::string host;  // numeric; IPv6 without its brackets
  std::uint16_t port = 0;
  bool is_ipv6 = false;

  std::string text() const;  // "127.0.0.1:9435", "[::1]:9435"
};

// "127.0.0.1:9435", "[::1]:9435", "0.0.0.0:9435"; port 0 is any that is free. Names are not
// looked up. Throws std::invalid_argument, with a text for the user.
ListenAddress parse_listen_address(std::string_view text);
// The value of --listen. Throws Error (usage).
ListenAddress parse_listen_option(const std::string& text);

// A listening TCP socket that does not block. Throws Error, with the reason and advice.
Descriptor listen_on(const ListenAddress& address);
// The port that it got, which differs from the requested one if that was 0.
std::uint16_t bound_port(const Descriptor& listener);

}  // namespace zctrace
