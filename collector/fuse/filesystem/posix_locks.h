// SPDX-License-Identifier: MIT
// POSIX locks of other processes, held by this one.
#pragma once

#include <cstdint>

namespace zctrace::fuse {

class FileSystem;
struct Inode;

// Gives up what `owner` holds on the inode, as closing any descriptor of it does.
void release_posix_locks(FileSystem& fs, Inode& inode, std::uint64_t owner);

}  // namespace zctrace::fuse
