// open, one read, close: such a file gives all that fits at once.
#include "collector/fuse/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "collector/descriptor.h"

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

}  // namespace zctrace::fuse
