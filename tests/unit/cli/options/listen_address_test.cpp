// SPDX-License-Identifier: MIT
// What --listen accepts.
#include "cli/options/listen_address.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace zctrace {
namespace {

TEST(ListenAddress, IsANumericAddressAndAPort) {
  const ListenAddress ipv4 = parse_listen_address("127.0.0.1:9435");
  EXPECT_EQ(ipv4.host, "127.0.0.1");
  EXPECT_EQ(ipv4.port, 9435);
  EXPECT_FALSE(ipv4.is_ipv6);
  EXPECT_EQ(ipv4.text(), "127.0.0.1:9435");
  const ListenAddress ipv6 = parse_listen_address("[::1]:0");
  EXPECT_EQ(ipv6.host, "::1");
  EXPECT_TRUE(ipv6.is_ipv6);
  EXPECT_EQ(ipv6.text(), "[::1]:0");
}

TEST(ListenAddress, IsNothingElse) {
  // Some parsers would accept some of these, with another meaning.
  for (const char* text : {"", ":", "9435", ":9435", "localhost:9435", "127.0.0.1", "127.0.0.1:",
                           "127.0.0.1:65536", "127.0.0.1:80s", "127.0.0.1:80,81", "127.0.0.1:-1",
                           "1.2.3:80", "::1:80", "[::1:80", "[::1]", "[127.0.0.1]:80", "+80:80"})
    EXPECT_THROW(parse_listen_address(text), std::invalid_argument) << text;
}

}  // namespace
}  // namespace zctrace
