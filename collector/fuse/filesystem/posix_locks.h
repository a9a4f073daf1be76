// SPDX-License-Identifier: MIT
// POSIX locks that this process holds for other processes.
#pragma once

#include <cstdint>

namespace zctrace::fuse {

class FileSystem;
struct Inode;

// Releases all locks of `owner` on the inode, as closing any descriptor of it does.
void release_posix_locks(FileSystem& fs, Inode& inode, std::uint64_t owner);

}  // namespace zctrace::fuse
