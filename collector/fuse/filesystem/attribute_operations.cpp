// SPDX-License-Identifier: MIT
// Attributes: getattr, setattr, access, statfs.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "collector/fuse/filesystem/handles.h"
#include "collector/fuse/filesystem/request.h"

namespace zctrace::fuse {
namespace {

void reply_attributes(Request& request, const Inode& inode) {
  struct stat status;
  if (::fstat(inode.fd.get(), &status) != 0) {
    request.error(errno);
    return;
  }
  request.fs().show(status);
  request.attributes(status, request.fs().timeout_s());
}

void getattr(fuse_req_t raw, fuse_ino_t id, fuse_file_info*) noexcept {
  serve(raw, Operation::getattr, id, reply_attributes);
}

int set_mode(const Inode& inode, mode_t mode, const fuse_file_info* file) {
  if (file != nullptr) return ::fchmod(file_handle(*file).fd.get(), mode);
  // fchmodat has no AT_EMPTY_PATH before Linux 6.6.
  return ::chmod(FdName(inode.fd.get()).path, mode);
}

int set_owner(const Inode& inode, const struct stat& wanted, int which) {
  const uid_t uid = (which & FUSE_SET_ATTR_UID) != 0 ? wanted.st_uid : static_cast<uid_t>(-1);
  const gid_t gid = (which & FUSE_SET_ATTR_GID) != 0 ? wanted.st_gid : static_cast<gid_t>(-1);
  return ::fchownat(inode.fd.get(), "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

int set_size(FileSystem& fs, const Inode& inode, off_t size, const fuse_file_info* file) {
  if (file != nullptr) return ::ftruncate(file_handle(*file).fd.get(), size);
  const Descriptor fd = fs.reopen(inode, O_WRONLY | O_NONBLOCK);
  return fd ? ::ftruncate(fd.get(), size) : -1;
}

timespec wanted_time(const timespec& time, int which, int set, int now) {
  if ((which & now) != 0) return {0, UTIME_NOW};
  return (which & set) != 0 ? time : timespec{0, UTIME_OMIT};
}

int set_times(const Inode& inode, const struct stat& wanted, int which) {
  const timespec times[2] = {
      wanted_time(wanted.st_atim, which, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW),
      wanted_time(wanted.st_mtim, which, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW)};
  // utimensat has AT_EMPTY_PATH since Linux 5.8; glibc's wrapper would pass it on.
  return static_cast<int>(::syscall(SYS_utimensat, inode.fd.get(), "", times, AT_EMPTY_PATH));
}

void setattr(fuse_req_t raw, fuse_ino_t id, struct stat* wanted, int which,
             fuse_file_info* file) noexcept {
  serve(raw, Operation::setattr, id, [=](Request& request, const Inode& inode) {
    constexpr int kTimes = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW |
                           FUSE_SET_ATTR_MTIME_NOW;
    // The owner comes before the mode: a change of owner drops set-user-ID bits.
    int result = 0;
    if ((which & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0)
      result = set_owner(inode, *wanted, which);
    if (result == 0 && (which & FUSE_SET_ATTR_MODE) != 0)
      result = set_mode(inode, wanted->st_mode, file);
    if (result == 0 && (which & FUSE_SET_ATTR_SIZE) != 0)
      result = set_size(request.fs(), inode, wanted->st_size, file);
    if (result == 0 && (which & kTimes) != 0) result = set_times(inode, *wanted, which);
    if (result != 0) {
      request.error(errno);
    } else {
      reply_attributes(request, inode);
    }
  });
}

// The kernel sends this request only when the daemon runs as the only user of the mount, so the
// daemon's permissions are the user's.
void access(fuse_req_t raw, fuse_ino_t id, int mask) noexcept {
  serve(raw, Operation::access, id, [mask](Request& request, const Inode& inode) {
    request.result(static_cast<int>(
        ::syscall(SYS_faccessat2, inode.fd.get(), "", mask, AT_EMPTY_PATH | AT_EACCESS)));
  });
}

void statfs(fuse_req_t raw, fuse_ino_t id) noexcept {
  serve(raw, Operation::statfs, id == 0 ? InodeTable::kRootId : id,
        [](Request& request, const Inode& inode) {
          struct statvfs statistics;
          if (::fstatvfs(inode.fd.get(), &statistics) != 0) {
            request.error(errno);
          } else {
            request.statistics(statistics);
          }
        });
}

}  // namespace

void add_attribute_operations(fuse_lowlevel_ops& operations) {
  operations.getattr = getattr;
  operations.setattr = setattr;
  operations.access = access;
  operations.statfs = statfs;
}

}  // namespace zctrace::fuse
