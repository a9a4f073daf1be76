// SPDX-License-Identifier: MIT
// The kinds of FUSE requests, as the report names them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zctrace::fuse {

enum class Operation : std::uint8_t {
  // Bytes.
  read,          // a read call caused it
  mmap,          // a page-in of a mapping: no call requested these bytes
  read_or_mmap,  // could be either of the two
  write,
  writeback,  // dirty pages of a mapping, which the kernel writes on its own
  copy_file_range,
  // Files.
  open,
  create,
  flush,
  release,
  fsync,
  fallocate,
  lseek,
  // Names.
  lookup,
  forget,
  mknod,
  mkdir,
  unlink,
  rmdir,
  symlink,
  link,
  rename,
  readlink,
  // Directories.
  opendir,
  readdir,
  readdirplus,
  releasedir,
  fsyncdir,
  // Attributes.
  getattr,
  setattr,
  access,
  statfs,
  getxattr,
  setxattr,
  listxattr,
  removexattr,
  // Locks.
  getlk,
  setlk,
  flock,
};

inline constexpr std::size_t kOperations = static_cast<std::size_t>(Operation::flock) + 1;

// "read", "copy_file_range" …
std::string_view operation_name(Operation operation);

// Whether the bytes of a request go from the file system to the requester, or from the requester to
// the file system.
constexpr bool is_read(Operation operation) {
  return operation == Operation::read || operation == Operation::mmap ||
         operation == Operation::read_or_mmap;
}
constexpr bool is_write(Operation operation) {
  return operation == Operation::write || operation == Operation::writeback;
}

}  // namespace zctrace::fuse
