// SPDX-License-Identifier: MIT
// Files, pipes and sockets, and the bytes that moved between them. Pure values, no I/O, no locks;
// safe to copy and to read from any thread. Sizes are bytes.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "collector/model/copies.h"

namespace zctrace {

enum class Kind : std::uint8_t;

// A file, pipe or socket, by its inode. All zero: neither, or not known.
struct ChannelId {
  std::uint64_t inode = 0;
  std::uint32_t device = 0;      // of the file system, in the kernel's encoding
  std::uint32_t generation = 0;  // tells apart files that had the same inode number

  auto operator<=>(const ChannelId&) const = default;
  explicit operator bool() const { return inode != 0 || device != 0; }
};

// "8:1", the major and minor number of the file system's device.
std::string device_text(std::uint32_t device);

// One end of a socket.
struct SocketEnd {
  std::string text;        // "127.0.0.1:80", "[::1]:80", "/run/x.sock", "@abstract"; "": no address
  std::uint32_t port = 0;  // of tcp, udp and vsock; 0: none

  bool operator==(const SocketEnd&) const = default;
};

// What a channel is called.
struct ChannelName {
  Kind kind{};
  // Of a file, from the root of the process that used it first. "": not known.
  std::string path;
  bool deleted = false;  // no directory has it any more, or ever had
  bool cut = false;      // the first part of the path is missing
  std::string file_system;
  // Of a socket.
  Protocol protocol = Protocol::none;
  SocketEnd local;
  SocketEnd remote;
  bool bound = false;            // a program chose the local port: the socket serves
  std::uint64_t peer_inode = 0;  // of the other end's socket (unix); 0: not known
  std::uint32_t peer_pid = 0;    // that had the other end when it was connected; 0: not known

  bool operator==(const ChannelName&) const = default;
};

}  // namespace zctrace
