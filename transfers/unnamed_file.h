// SPDX-License-Identifier: MIT
// Files without a name, which leave nothing behind, even after SIGKILL.
#pragma once

#include <string>

#include "collector/os/descriptor.h"

namespace zctrace::transfers {

// A new empty file in `directory`, open for reading and writing. Uses O_TMPFILE, or where
// the file system has no such files (FUSE, NFS, overlayfs before 6.3) a temporary name that
// it removes at once. Throws SetupError.
Descriptor make_unnamed_file(const std::string& directory);

// The same file opened again: an offset and flags of its own. Throws SetupError.
Descriptor reopen(const Descriptor& file, int flags);

}  // namespace zctrace::transfers
