// SPDX-License-Identifier: MIT
// Reads small files of /proc on serving threads, and counts the system calls that this costs.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zctrace::fuse {

// Reads up to `size` bytes of a file below `proc`. Returns a negative errno on failure.
ssize_t read_proc_file(int proc, const char* name, char* text, std::size_t size) noexcept;

// The number of system calls that read_proc_file() has made in this thread since the last call of
// this function. They are the daemon's calls, but do not serve the file system.
std::uint64_t take_proc_calls() noexcept;

// The value of field `name` in the text of /proc/PID/status, without leading blanks. Empty: no such
// field.
std::string_view status_field(std::string_view status, std::string_view name) noexcept;

}  // namespace zctrace::fuse
