// SPDX-License-Identifier: MIT
// Opens a directory by a path that other users may change at any moment.
#pragma once

#include <string>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Opens directory `path` as O_PATH, one name after another. For root, a symbolic link counts only
// if it belongs to root, to the user that called sudo, or to the owner of the process: otherwise
// the user who may change a part of the path could point root's mount at any directory. `what`
// names the directory in the message of an Error: "cannot open source '/x': ...".
Descriptor open_trusted_directory(const std::string& path, const char* what);

// The path by which a directory is reached at this moment; for display, and for programs that take
// nothing but a path. Empty: none.
std::string current_path(int directory) noexcept;

}  // namespace zctrace::fuse
