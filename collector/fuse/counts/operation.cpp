// SPDX-License-Identifier: MIT
// The operations' names, in the order of the enumeration.
#include "collector/fuse/counts/operation.h"

#include <array>

namespace zctrace::fuse {

std::string_view operation_name(Operation operation) {
  static constexpr std::array<std::string_view, kOperations> kNames = {
      "read",    "mmap",        "read_or_mmap", "write",    "writeback", "copy_file_range",
      "open",    "create",      "flush",        "release",  "fsync",     "fallocate",
      "lseek",   "lookup",      "forget",       "mknod",    "mkdir",     "unlink",
      "rmdir",   "symlink",     "link",         "rename",   "readlink",  "opendir",
      "readdir", "readdirplus", "releasedir",   "fsyncdir", "getattr",   "setattr",
      "access",  "statfs",      "getxattr",     "setxattr", "listxattr", "removexattr",
      "getlk",   "setlk",       "flock",
  };
  static_assert(!kNames.back().empty(), "an operation has no name");
  return kNames[static_cast<std::size_t>(operation)];
}

}  // namespace zctrace::fuse
