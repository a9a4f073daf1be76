// SPDX-License-Identifier: MIT
// File systems that show each process something else: proc, sysfs and their like.
#pragma once

#include <string_view>

namespace zctrace::fuse {

// Whether what the file system of `fd` shows depends on the rights of the process that reads, and
// not only on the modes of its files. A daemon that reads as root would show everybody root's view.
bool depends_on_reader(int fd) noexcept;
// The same by the type that /proc/self/mountinfo shows.
bool depends_on_reader(std::string_view type) noexcept;

}  // namespace zctrace::fuse
