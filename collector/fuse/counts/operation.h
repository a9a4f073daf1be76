// SPDX-License-Identifier: MIT
// What a FUSE request asks for, as the report names it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zctrace::fuse {

enum class Operation : std::uint8_t {
  // Bytes.
  read,          // a read call is behind it
  mmap,          // a page-in of a mapping: no call asked for these bytes
  read_or_mmap,  // which of the two could not be told
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

// Whether its bytes go from the file system to whoever asked, or the other way.
constexpr bool is_read(Operation operation) {
  return operation == Operation::read || operation == Operation::mmap ||
         operation == Operation::read_or_mmap;
}
constexpr bool is_write(Operation operation) {
  return operation == Operation::write || operation == Operation::writeback;
}

}  // namespace zctrace::fuse
