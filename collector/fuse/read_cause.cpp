// Classifies by syscall number; the numbers are those of this build's architecture.
#include "collector/fuse/read_cause.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>

#include "collector/descriptor.h"

namespace zctrace::fuse {
namespace {

// A 32-bit task shows numbers of its own table, which is why both sides are lists and
// whatever is on neither stays undecided: i386's read (3) and write (4) are on neither.
bool reads_files(long number) {
  switch (number) {
    case SYS_read:
    case SYS_pread64:
    case SYS_readv:
    case SYS_preadv:
    case SYS_preadv2:
    case SYS_sendfile:
    case SYS_splice:
    case SYS_copy_file_range:
    case SYS_readahead:
    case SYS_fadvise64:
    case SYS_io_uring_enter:
    case SYS_io_submit:
    case SYS_execve:
    case SYS_execveat: return true;
    default: return false;
  }
}

// Calls that read no file of their own: a read request under them is a fault on their buffer,
// or they are about mappings.
bool only_touches_memory(long number) {
  switch (number) {
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
    case SYS_pwritev:
    case SYS_pwritev2:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_vmsplice:
    case SYS_mmap:  // MAP_POPULATE
    case SYS_mremap:
    case SYS_madvise:
    case SYS_mlock:
    case SYS_mlock2:
    case SYS_mlockall:
    case SYS_process_vm_readv:
    case SYS_process_vm_writev: return true;
    default: return false;
  }
}

}  // namespace

Operation cause_in(std::string_view proc_syscall) {
  long number = 0;
  const char* const end = proc_syscall.data() + proc_syscall.size();
  const auto parsed = std::from_chars(proc_syscall.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ' ')
    return Operation::read_or_mmap;
  if (number == -1 || only_touches_memory(number)) return Operation::mmap;
  return reads_files(number) ? Operation::read : Operation::read_or_mmap;
}

ReadCause cause_of_read(int proc, pid_t tid) noexcept {
  char name[32];
  std::snprintf(name, sizeof(name), "%d/syscall", static_cast<int>(tid));
  const Descriptor file(::openat(proc, name, O_RDONLY | O_CLOEXEC));
  if (!file) return {Operation::read_or_mmap, errno == EACCES || errno == EPERM};
  char text[256];
  const ssize_t length = ::read(file.get(), text, sizeof(text));
  // ptrace's permission is asked for at read, not at open.
  if (length < 0) return {Operation::read_or_mmap, errno == EACCES || errno == EPERM};
  return {cause_in({text, static_cast<std::size_t>(length)}), false};
}

}  // namespace zctrace::fuse
