// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace zctrace {

// The whole of a file whose size the kernel may not know; what could be read before an error.
std::string read_file(const std::filesystem::path& path);

}  // namespace zctrace
