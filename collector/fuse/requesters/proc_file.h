// SPDX-License-Identifier: MIT
// Small files of /proc, read by threads that serve; and what that costs.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zctrace::fuse {

// Up to `size` bytes of a file below `proc`; a negative errno when there are none to be had.
ssize_t read_proc_file(int proc, const char* name, char* text, std::size_t size) noexcept;

// System calls that read_proc_file() made in this thread since the last time. They are calls of
// the daemon, but not for the file system's sake.
std::uint64_t take_proc_calls() noexcept;

// What the text of /proc/PID/status says of `name`, without blanks before it. Empty: nothing.
std::string_view status_field(std::string_view status, std::string_view name) noexcept;

}  // namespace zctrace::fuse
