// SPDX-License-Identifier: MIT
// open, one read, close: these files return everything that fits in one read.
#include "collector/fuse/requesters/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {
namespace {

thread_local std::uint64_t calls = 0;

}  // namespace

ssize_t read_proc_file(int proc, const char* name, char* text, std::size_t size) noexcept {
  ++calls;
  const Descriptor file(::openat(proc, name, O_RDONLY | O_CLOEXEC));
  if (!file) return -errno;
  ++calls;  // close
  for (;;) {
    ++calls;
    const ssize_t n = ::read(file.get(), text, size);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

std::uint64_t take_proc_calls() noexcept { return std::exchange(calls, 0); }

std::string_view status_field(std::string_view status, std::string_view name) noexcept {
  for (std::size_t begin = 0; begin < status.size();) {
    const std::size_t end = std::min(status.find('\n', begin), status.size());
    const std::string_view line = status.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(':')) continue;
    const std::string_view text = line.substr(name.size() + 1);
    return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
  }
  return {};
}

}  // namespace zctrace::fuse
