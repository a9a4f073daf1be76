// SPDX-License-Identifier: MIT
// flock and POSIX locks. They are taken on the source, so that they also hold against processes
// that use the source directly.
//
// To the source, all locks belong to the daemon. A flock() lock belongs to an open file
// description, and each handle has its own. A POSIX lock belongs to a process, so each lock owner
// that the kernel names gets a description of its own per inode, which holds the locks as open file
// description locks.
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <new>

#include "collector/fuse/filesystem/handles.h"
#include "collector/fuse/filesystem/posix_locks.h"
#include "collector/fuse/filesystem/request.h"
#include "collector/fuse/requesters/pending_signal.h"
#include "collector/fuse/requesters/proc_file.h"
#include "collector/fuse/ring/ring_slot.h"

namespace zctrace::fuse {
namespace {

void wake_waiters(fuse_req_t, void* waiters) { static_cast<LockWaiters*>(waiters)->wake(); }

// Answers with the result of attempt(). If that is EAGAIN and the caller wants to wait, the answer
// comes later.
template <typename Attempt>
void lock_or_wait(Request& request, bool wait, Attempt attempt) {
  const int error = attempt();
  if (error != EAGAIN || !wait) {
    request.error(error);
    return;
  }
  FileSystem& fs = request.fs();
  const bool by_ring = served_slot() != nullptr;
  SignalWatch watch(fs.proc.get(), by_ring ? request.context().pid : 0);
  const Request::Deferred deferred = request.defer();
  ::fuse_req_interrupt_func(deferred.request, wake_waiters, &fs.lock_waiters);
  const auto answer = [deferred, &fs](int error) {
    ::fuse_req_interrupt_func(deferred.request, nullptr, nullptr);
    deferred.answer(fs, error);
  };
  const auto interrupted = [deferred, watch, &fs]() mutable {
    if (::fuse_req_interrupted(deferred.request) != 0) return true;
    const bool found = watch.interrupted(std::chrono::steady_clock::now());
    fs.proc_calls.fetch_add(take_proc_calls(), std::memory_order_relaxed);
    return found;
  };
  try {
    fs.lock_waiters.add({attempt, interrupted, answer});
  } catch (const std::bad_alloc&) {
    answer(ENOLCK);
  }
}

int last_error(int result) {
  if (result >= 0) return 0;
  return errno == EACCES ? EAGAIN : errno;  // POSIX allows either error for a held lock
}

bool is_refused(const Descriptor& fd) { return !fd && (errno == EACCES || errno == EPERM); }

// Lends the handle's own description to one owner at a time: locks of two owners on one description
// could not be distinguished.
Descriptor lend(const Inode& inode, FileHandle& handle, std::uint64_t owner) {
  if (handle.lent_to != owner && inode.lock_owners.contains(handle.lent_to)) {
    errno = EACCES;
    return {};
  }
  handle.lent_to = owner;
  return Descriptor(::fcntl(handle.fd.get(), F_DUPFD_CLOEXEC, 0));
}

// Opens another description of the inode for one owner's locks, for read and write locks if
// possible. Where an ordinary user may not open the file again, borrows the handle's own.
Descriptor lock_description(const FileSystem& fs, const Inode& inode, FileHandle& handle,
                            std::uint64_t owner, short type) {
  Descriptor fd = fs.reopen(inode, O_RDWR | O_NONBLOCK);
  // The file may be append-only.
  if (!fd && errno == EPERM) fd = fs.reopen(inode, O_RDWR | O_APPEND | O_NONBLOCK);
  if (is_refused(fd) && (::fcntl(handle.fd.get(), F_GETFL) & O_ACCMODE) == O_RDWR)
    fd = lend(inode, handle, owner);
  if (!fd) fd = fs.reopen(inode, (type == F_WRLCK ? O_WRONLY : O_RDONLY) | O_NONBLOCK);
  if (is_refused(fd)) fd = lend(inode, handle, owner);
  return fd;
}

int set_posix_lock(FileSystem& fs, Inode& inode, FileHandle& handle, std::uint64_t owner,
                   struct flock wanted) {
  const std::lock_guard lock(inode.locks_mutex);
  auto held = inode.lock_owners.find(owner);
  if (held == inode.lock_owners.end()) {
    if (wanted.l_type == F_UNLCK) return 0;
    if (fs.room_for(handle.user) > DescriptorShares::Room::little) return ENOLCK;
    Descriptor fd = lock_description(fs, inode, handle, owner, wanted.l_type);
    if (!fd) return errno;
    held = inode.lock_owners.try_emplace(owner).first;
    held->second.fd = std::move(fd);
    held->second.holding.assign(fs.shares, handle.user);
  }
  handle.lock_owners.insert(owner);
  wanted.l_pid = 0;  // required by F_OFD_*
  const int error = last_error(::fcntl(held->second.fd.get(), F_OFD_SETLK, &wanted));
  if (error == 0 && wanted.l_type != F_WRLCK) fs.lock_waiters.wake();
  return error;
}

void setlk(fuse_req_t raw, fuse_ino_t id, fuse_file_info* info, struct flock* wanted,
           int sleep) noexcept {
  serve(raw, Operation::setlk, id, [=](Request& request, const Inode&) {
    FileSystem& fs = request.fs();
    lock_or_wait(
        request, sleep != 0,
        [&fs, &handle = file_handle(*info), inode = fs.inodes.find(id), owner = info->lock_owner,
         lock = *wanted] { return set_posix_lock(fs, *inode, handle, owner, lock); });
  });
}

void getlk(fuse_req_t raw, fuse_ino_t id, fuse_file_info* info, struct flock* wanted) noexcept {
  serve(raw, Operation::getlk, id, [=](Request& request, Inode& inode) {
    const std::lock_guard lock(inode.locks_mutex);
    const auto held = inode.lock_owners.find(info->lock_owner);
    Descriptor other;
    if (held == inode.lock_owners.end()) {
      other = lock_description(request.fs(), inode, file_handle(*info), info->lock_owner,
                               wanted->l_type);
      // enough to query locks
      if (!other) other = request.fs().reopen(inode, O_RDONLY | O_NONBLOCK);
      if (!other) {
        request.error(errno);
        return;
      }
    }
    struct flock found = *wanted;
    found.l_pid = 0;
    const int fd = other ? other.get() : held->second.fd.get();
    if (::fcntl(fd, F_OFD_GETLK, &found) != 0) {
      request.error(errno);
      return;
    }
    // For an open file description lock the kernel does not name an owner (-1).
    if (found.l_pid < 0) found.l_pid = 0;
    request.lock(found);
  });
}

void flock(fuse_req_t raw, fuse_ino_t id, fuse_file_info* info, int operation) noexcept {
  serve(raw, Operation::flock, id, [=](Request& request, const Inode&) {
    FileSystem& fs = request.fs();
    // The handle outlives the wait: the kernel releases it only after this call has returned.
    const int fd = file_handle(*info).fd.get();
    const int kind = operation & ~LOCK_NB;
    lock_or_wait(request, (operation & LOCK_NB) == 0, [fd, kind, &fs] {
      const int error = last_error(::flock(fd, kind | LOCK_NB));
      if (error == 0 && kind != LOCK_EX) fs.lock_waiters.wake();
      return error;
    });
  });
}

}  // namespace

void release_posix_locks(FileSystem& fs, Inode& inode, std::uint64_t owner) {
  {
    const std::lock_guard lock(inode.locks_mutex);
    const auto held = inode.lock_owners.find(owner);
    if (held == inode.lock_owners.end()) return;
    // Unlock explicitly: a description that a handle lent stays open.
    struct flock all = {};
    all.l_type = F_UNLCK;
    ::fcntl(held->second.fd.get(), F_OFD_SETLK, &all);
    inode.lock_owners.erase(held);
  }
  fs.lock_waiters.wake();
}

void add_lock_operations(fuse_lowlevel_ops& operations) {
  operations.setlk = setlk;
  operations.getlk = getlk;
  operations.flock = flock;
}

}  // namespace zctrace::fuse
