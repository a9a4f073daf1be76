// SPDX-License-Identifier: MIT
// The operations that move bytes: read, write, copy_file_range. They splice where that is allowed
// and works.
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>

#include "collector/fuse/filesystem/handles.h"
#include "collector/fuse/filesystem/request.h"
#include "collector/fuse/filesystem/requester_identity.h"
#include "collector/fuse/requesters/read_cause.h"
#include "collector/fuse/ring/ring_slot.h"

namespace zctrace::fuse {
namespace {

constexpr std::size_t kPage = 4096;

// A thread's own memory for copied bytes, as large as its largest request.
class CopyBuffer {
 public:
  char* of(std::size_t size) {
    if (size > size_) {
      void* memory = nullptr;
      if (::posix_memalign(&memory, kPage, size) != 0) throw std::bad_alloc();
      memory_.reset(static_cast<char*>(memory));
      size_ = size;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> memory_;
  std::size_t size_ = 0;
};

thread_local CopyBuffer copy_buffer;

// Memory for the data of this thread's reply: where the kernel takes it from, or the thread's own.
char* reply_buffer(std::size_t size) {
  if (const RingSlot* const slot = served_slot(); slot != nullptr && size <= slot->payload().size())
    return reinterpret_cast<char*>(slot->payload().data());
  return copy_buffer.of(size);
}

fuse_bufvec file_buffer(int fd, std::size_t size, off_t offset) {
  fuse_bufvec vector = FUSE_BUFVEC_INIT(size);
  vector.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
  vector.buf[0].fd = fd;
  vector.buf[0].pos = offset;
  return vector;
}

// Returns 0 and sets `done`, or returns a positive errno when nothing was transferred.
template <typename Call>
int transfer_all(std::size_t size, std::size_t& done, Call call) {
  for (done = 0; done < size;) {
    const ssize_t n = call(done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return done == 0 ? errno : 0;
    if (n == 0) return 0;
    done += static_cast<std::size_t>(n);
  }
  return 0;
}

Operation remember_cause(FileHandle& handle, Operation cause) {
  (cause == Operation::read ? handle.read_by_call : handle.read_by_mapping) = true;
  return cause;
}

// What the thread that sent the request was in, by the kernel's note of it; else what it is in now.
TaskInspection sender_of(Request& request, const fuse_file_info& info, off_t offset) {
  FileSystem& fs = request.fs();
  const pid_t thread = request.context().pid;
  if (fs.options.sender_calls)
    if (const auto call =
            fs.options.sender_calls->take(thread, info.fh, static_cast<std::uint64_t>(offset)))
      return {state_of(*call), false};
  if (!fs.requesters.may_inspect(request.process())) return {};
  return fs.tasks.inspect(thread,
                          !is_ordinary_user(request.raw()) && !others_wait_for_this_thread());
}

// Called as late as possible, just before the reply, for what is read from /proc. Readahead does
// not block its task, and the state of a running task shows no cause; but the task soon needs the
// bytes that were read ahead and waits for them.
Operation cause_of(Request& request, const Inode& inode, FileHandle& handle,
                   const fuse_file_info& info, off_t offset) {
  // With direct I/O a read call carries its lock owner, and a page-in never does
  // (FUSE_READ_LOCKOWNER; kernel: fuse_send_read()).
  if (info.lock_owner != 0) return Operation::read;
  if (handle.direct) return Operation::mmap;
  Requesters& requesters = request.fs().requesters;
  const ProcessId process = request.process();
  if (process == Requesters::kKernel) return Operation::read_or_mmap;
  const TaskInspection sender = sender_of(request, info, offset);
  if (sender.refused) requesters.refuse_inspection(process);
  if (sender.state == TaskState::reading) return remember_cause(handle, Operation::read);
  if (sender.state != TaskState::elsewhere) return remember_cause(handle, Operation::mmap);
  const auto file = request.fs().as_mapped(inode);
  if (!file) return Operation::read_or_mmap;
  // A process that does not map the file can only have read it by a call.
  const auto maps = request.fs().mappings.maps(requesters.pid_of(process), *file);
  if (maps == false) return remember_cause(handle, Operation::read);
  // Readahead, or a fault inside another call, of a process that maps the file. Assume the cause of
  // the other requests through this handle, if they all had the same.
  if (handle.read_by_call == handle.read_by_mapping) return Operation::read_or_mmap;
  return handle.read_by_call ? Operation::read : Operation::mmap;
}

void read(fuse_req_t raw, fuse_ino_t id, std::size_t size, off_t offset,
          fuse_file_info* info) noexcept {
  serve(raw, Operation::read, id, [=](Request& request, const Inode& inode) {
    FileHandle& handle = file_handle(*info);
    const auto note_cause = [&] {
      try {
        request.is(cause_of(request, inode, handle, *info, offset));
      } catch (...) {
        request.is(Operation::read_or_mmap);
      }
    };
    const int fd = handle.fd.get();
    if (request.fs().options.splice) {
      fuse_bufvec from = file_buffer(fd, size, offset);
      request.spliced(from, note_cause);
      return;
    }
    char* const buffer = reply_buffer(size);
    std::size_t done = 0;
    const int error = transfer_all(size, done, [&](std::size_t at) {
      return ::pread(fd, buffer + at, size - at, offset + static_cast<off_t>(at));
    });
    note_cause();
    if (error != 0) {
      request.error(error);
      return;
    }
    request.moved(BytePath::copied, done);
    request.buffer(buffer, done);
  });
}

// Splices when the bytes are still in a pipe. Where it cannot splice, FUSE_BUF_FORCE_SPLICE makes
// it fail with EINVAL before anything is moved, instead of copying silently.
ssize_t splice_write(const FileHandle& handle, fuse_bufvec* from, std::size_t size, off_t offset) {
  fuse_bufvec to = file_buffer(handle.fd.get(), size, offset);
  to.buf[0].flags = static_cast<fuse_buf_flags>(to.buf[0].flags | FUSE_BUF_FD_RETRY);
  return ::fuse_buf_copy(&to, from, FUSE_BUF_FORCE_SPLICE);
}

bool lies_in_pipe(const fuse_bufvec& from) {
  return (from.buf[from.idx].flags & FUSE_BUF_IS_FD) != 0;
}

void write_buf(fuse_req_t raw, fuse_ino_t id, fuse_bufvec* from, off_t offset,
               fuse_file_info* info) noexcept {
  serve(raw, Operation::write, id, [=](Request& request, const Inode& inode) {
    const FileHandle& handle = file_handle(*info);
    if (info->writepage != 0) request.is(Operation::writeback);
    // A page of a mapping has a fixed offset, and so have bytes that are written after O_APPEND was
    // cleared. A description with O_APPEND ignores offsets, so these writes use another one.
    Descriptor placed;
    if (handle.append && (info->writepage != 0 || (info->flags & O_APPEND) == 0)) {
      placed = request.fs().reopen(inode, O_WRONLY | O_NONBLOCK);
      if (!placed) {
        request.error(errno == EMFILE ? ENFILE : errno);
        return;
      }
    }
    // The kernel writes a page of a mapping for no process in particular, and such a write does not
    // drop set-user-ID bits.
    const bool is_page = info->writepage != 0;
    const RequesterSpace as(is_page ? handle.user : request.context().uid, request.fs().options,
                            is_page);
    const std::size_t size = ::fuse_buf_size(from);
    const bool in_pipe = lies_in_pipe(*from);
    // A kernel that announces no writes: the next ones are expected.
    if (!in_pipe && size >= kPage) request.fs().writes.announced();
    if (in_pipe && !handle.append) {
      const ssize_t n = splice_write(handle, from, size, offset);
      if (n >= 0) {
        request.moved(BytePath::spliced, static_cast<std::uint64_t>(n));
        request.written(static_cast<std::size_t>(n));
        return;
      }
      if (n != -EINVAL) {
        request.error(static_cast<int>(-n));
        return;
      }
    }
    const int fd = placed ? placed.get() : handle.fd.get();
    const char* buffer = static_cast<const char*>(from->buf[from->idx].mem);
    if (in_pipe || from->count != 1) {
      char* const own = copy_buffer.of(size);
      fuse_bufvec to = FUSE_BUFVEC_INIT(size);
      to.buf[0].mem = own;
      const ssize_t n = ::fuse_buf_copy(&to, from, FUSE_BUF_NO_SPLICE);
      if (n < 0 || static_cast<std::size_t>(n) != size) {
        request.error(n < 0 ? static_cast<int>(-n) : EIO);
        return;
      }
      buffer = own;
    }
    std::size_t done = 0;
    const int error = transfer_all(size, done, [&](std::size_t at) {
      return ::pwrite(fd, buffer + at, size - at, offset + static_cast<off_t>(at));
    });
    if (error != 0) {
      request.error(error);
      return;
    }
    request.moved(BytePath::copied, done);
    request.written(done);
  });
}

void copy_file_range(fuse_req_t raw, fuse_ino_t from_id, off_t from_offset, fuse_file_info* from,
                     fuse_ino_t to_id, off_t to_offset, fuse_file_info* to, std::size_t length,
                     int flags) noexcept {
  serve(raw, Operation::copy_file_range, from_id, [=](Request& request, const Inode&) {
    // In the list of files it counts as a write to the target.
    if (const InodePtr target = request.fs().inodes.find(to_id)) request.on(*target);
    const RequesterSpace as(request.context().uid, request.fs().options, false);
    off_t from_at = from_offset;
    off_t to_at = to_offset;
    const ssize_t n =
        ::copy_file_range(file_handle(*from).fd.get(), &from_at, file_handle(*to).fd.get(), &to_at,
                          length, static_cast<unsigned>(flags));
    if (n < 0) {
      request.error(errno);
      return;
    }
    request.moved(BytePath::in_kernel, static_cast<std::uint64_t>(n));
    request.written(static_cast<std::size_t>(n));
  });
}

}  // namespace

void add_data_operations(fuse_lowlevel_ops& operations) {
  operations.read = read;
  operations.write_buf = write_buf;
  operations.copy_file_range = copy_file_range;
}

}  // namespace zctrace::fuse
