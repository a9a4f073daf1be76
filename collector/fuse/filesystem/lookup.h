// SPDX-License-Identifier: MIT
// Finds the inode of a name below a directory, and adds the lookup that the kernel then holds.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include "collector/fuse/filesystem/request.h"

namespace zctrace::fuse {

// Fills `entry` and adds one lookup, for the user of the request. The caller removes it with
// forget() when the kernel does not get the entry. Returns 0 or a positive errno.
int look_up(const Request& request, const Inode& parent, const char* name, fuse_entry_param& entry);

// The same for a file that was just created there and is open: the inode is that file, whatever the
// name means now.
int look_up_open(const Request& request, const Inode& parent, const char* name, int fd,
                 fuse_entry_param& entry);

}  // namespace zctrace::fuse
