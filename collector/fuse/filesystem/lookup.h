// SPDX-License-Identifier: MIT
// From a name below a directory to an inode that the kernel then knows.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include "collector/fuse/filesystem/file_system.h"

namespace zctrace::fuse {

// Fills `entry` and counts one lookup, which the caller takes back with forget() when the
// kernel does not get the entry. 0 or a positive errno.
int look_up(FileSystem& fs, const Inode& parent, const char* name, fuse_entry_param& entry);

// The same for a file that is open already: the inode is that one, whatever the name means now.
int look_up_open(FileSystem& fs, const Inode& parent, const char* name, int fd,
                 fuse_entry_param& entry);

}  // namespace zctrace::fuse
