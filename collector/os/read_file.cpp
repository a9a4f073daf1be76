// SPDX-License-Identifier: MIT
#include "collector/os/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "collector/os/descriptor.h"

namespace zctrace {

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string bytes;
  std::size_t used = 0;
  while (file) {
    if (used == bytes.size()) bytes.resize(std::max<std::size_t>(65536, 2 * used));
    const ssize_t n = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    used += static_cast<std::size_t>(n);
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace zctrace
