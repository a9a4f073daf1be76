// SPDX-License-Identifier: MIT
// open, create, release, and the other requests on open files that move no bytes.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <mutex>

#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/filesystem/handles.h"
#include "collector/fuse/filesystem/lookup.h"
#include "collector/fuse/filesystem/posix_locks.h"
#include "collector/fuse/filesystem/request.h"
#include "collector/fuse/filesystem/requester_identity.h"

namespace zctrace::fuse {
namespace {

// The part of an application's open flags that makes sense below the mount. O_DIRECT is removed
// because it would need aligned pipes, and the kernel has already done its part of it above.
// O_NONBLOCK is added in case the name has become a FIFO meanwhile.
int daemon_flags(int flags) {
  return (flags & ~(O_DIRECT | O_NOFOLLOW | O_CREAT | O_EXCL)) | O_NONBLOCK | O_CLOEXEC;
}

void set_caching(const FileSystem& fs, fuse_file_info& info, FileHandle& handle) {
  info.direct_io = fs.options.cache == Cache::none;
  info.keep_cache = fs.options.cache == Cache::always;
  handle.direct = info.direct_io != 0;
}

// Before the reply to open or create.
void begin_use(FileSystem& fs, Inode& inode, FileHandle& handle, int flags) {
  handle.write_access.begin(fs.writes, flags, handle.direct);
  fs.inodes.opened(inode, handle.user);
  reply_with_backing_file(fs.backing_files.open(
      inode.backing, [&] { return fs.reopen(inode, O_RDONLY | O_NONBLOCK); }, fs.options));
}

void end_use(FileSystem& fs, Inode& inode, const FileHandle& handle) {
  fs.backing_files.close(inode.backing);
  fs.inodes.closed(inode, handle.user);
}

void open(fuse_req_t raw, fuse_ino_t id, fuse_file_info* info) noexcept {
  serve(raw, Operation::open, id, [info](Request& request, Inode& inode) {
    FileSystem& fs = request.fs();
    if (!fs.has_room(request.context())) {
      request.error(ENFILE);
      return;
    }
    const DropSetIds drop((info->flags & O_TRUNC) != 0 && is_ordinary_user(request.raw()));
    Descriptor fd = fs.reopen(inode, daemon_flags(info->flags));
    if (!fd) {
      request.error(errno == EMFILE ? ENFILE : errno);
      return;
    }
    auto handle = std::make_unique<FileHandle>(std::move(fd), fs.shares, info->flags,
                                               request.process(), request.context().uid);
    set_caching(fs, *info, *handle);
    info->fh = reinterpret_cast<std::uint64_t>(handle.get());
    begin_use(fs, inode, *handle, info->flags);
    if (request.opened(*info)) {
      static_cast<void>(handle.release());  // owned by the kernel until release
    } else {
      end_use(fs, inode, *handle);
    }
  });
}

void create(fuse_req_t raw, fuse_ino_t parent_id, const char* name, mode_t mode,
            fuse_file_info* info) noexcept {
  serve(raw, Operation::create, parent_id, [=](Request& request, const Inode& parent) {
    FileSystem& fs = request.fs();
    if (!is_plain_name(name)) {
      request.error(EINVAL);
      return;
    }
    int error = fs.has_room_in_directory(request.context()) ? 0 : ENFILE;
    Descriptor fd;
    if (error == 0) {
      // Always O_EXCL: the kernel found no such name, so it has not checked the permissions of a
      // file that was created since.
      const RequesterGroups groups(request.raw(), is_set_group_id(mode));
      const RequesterIdentity as(request.context(), fs.options);
      fd = open_patiently(parent.fd.get(), name,
                          daemon_flags(info->flags) | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
      error = fd ? 0 : errno;
    }
    // ESTALE makes the kernel look the name up again, and open with permission checks what it
    // finds.
    if (error == EEXIST && (info->flags & O_EXCL) == 0) error = ESTALE;
    fuse_entry_param entry{};
    if (error == 0) error = look_up_open(request, parent, name, fd.get(), entry);
    if (error != 0) {
      request.error(error == EMFILE ? ENFILE : error);
      return;
    }
    const InodePtr inode = fs.inodes.find(entry.ino);
    request.on(*inode);  // from here on the request concerns the new file
    auto handle = std::make_unique<FileHandle>(std::move(fd), fs.shares, info->flags,
                                               request.process(), request.context().uid);
    set_caching(fs, *info, *handle);
    info->fh = reinterpret_cast<std::uint64_t>(handle.get());
    begin_use(fs, *inode, *handle, info->flags);
    if (request.created(entry, *info)) {
      static_cast<void>(handle.release());
    } else {
      end_use(fs, *inode, *handle);
      fs.inodes.forget(entry.ino, 1);
    }
  });
}

void flush(fuse_req_t raw, fuse_ino_t id, fuse_file_info* info) noexcept {
  serve(raw, Operation::flush, id, [info](Request& request, Inode& inode) {
    // FLUSH means close(2) in one process: release its POSIX locks and report writeback errors.
    {
      // Locks that the process takes through this handle from now on are not among those that are
      // released now.
      const std::lock_guard lock(inode.locks_mutex);
      file_handle(*info).lock_owners.erase(info->lock_owner);
    }
    release_posix_locks(request.fs(), inode, info->lock_owner);
    const int copy = ::dup(file_handle(*info).fd.get());
    request.result(copy < 0 ? 0 : ::close(copy));  // no descriptor left: the error stays unreported
  });
}

void release(fuse_req_t raw, fuse_ino_t id, fuse_file_info* info) noexcept {
  serve(raw, Operation::release, id, [info](Request& request, Inode& inode) {
    const std::unique_ptr<FileHandle> handle(&file_handle(*info));
    request.charge_to(handle->opener);
    // Locks of an open file description end with it, and the kernel sends no request for that.
    for (const std::uint64_t owner : handle->lock_owners)
      release_posix_locks(request.fs(), inode, owner);
    end_use(request.fs(), inode, *handle);
    handle->fd.reset();
    request.fs().lock_waiters.wake();  // closing the descriptor released its flock() locks
    request.done();
  });
}

void fsync(fuse_req_t raw, fuse_ino_t id, int only_contents, fuse_file_info* info) noexcept {
  serve(raw, Operation::fsync, id, [=](Request& request, const Inode&) {
    const int fd = file_handle(*info).fd.get();
    request.result(only_contents != 0 ? ::fdatasync(fd) : ::fsync(fd));
  });
}

void fallocate(fuse_req_t raw, fuse_ino_t id, int mode, off_t offset, off_t length,
               fuse_file_info* info) noexcept {
  serve(raw, Operation::fallocate, id, [=](Request& request, const Inode&) {
    const RequesterSpace as(request.context().uid, request.fs().options, false);
    request.result(::fallocate(file_handle(*info).fd.get(), mode, offset, length));
  });
}

void lseek(fuse_req_t raw, fuse_ino_t id, off_t offset, int whence, fuse_file_info* info) noexcept {
  serve(raw, Operation::lseek, id, [=](Request& request, const Inode&) {
    const off_t position = ::lseek(file_handle(*info).fd.get(), offset, whence);
    if (position < 0) {
      request.error(errno);
    } else {
      request.position(position);
    }
  });
}

}  // namespace

void add_file_operations(fuse_lowlevel_ops& operations) {
  operations.open = open;
  operations.create = create;
  operations.flush = flush;
  operations.release = release;
  operations.fsync = fsync;
  operations.fallocate = fallocate;
  operations.lseek = lseek;
}

}  // namespace zctrace::fuse
