// SPDX-License-Identifier: MIT
// lookup, forget, and the operations that create, rename and remove names.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "collector/fuse/filesystem/lookup.h"
#include "collector/fuse/filesystem/request.h"
#include "collector/fuse/filesystem/requester_identity.h"

namespace zctrace::fuse {
namespace {

struct FoundFile {
  Descriptor fd;
  bool in_parents_mount;
};

int enter(const Request& request, const Inode& parent, const char* name, FoundFile found,
          fuse_entry_param& entry) {
  FileSystem& fs = request.fs();
  const int fd = found.fd.get();
  entry = {};
  if (!found.in_parents_mount)
    if (const int error = fs.may_show(fd, parent); error != 0) return error;
  if (::fstat(fd, &entry.attr) != 0) return errno;
  const InodeKey identity = found.in_parents_mount ? inode_key_in(parent.key.mount, entry.attr)
                                                   : inode_key_of(fd, entry.attr);
  const DirectoryEntry place{parent.id, name, fs.paths.child(parent.node, name)};
  const InodePtr inode =
      fs.inodes.remember(std::move(found.fd), identity, place, request.context().uid);
  entry.ino = inode->id;
  fs.show(entry.attr);
  entry.attr_timeout = entry.entry_timeout = fs.timeout_s();
  return 0;
}

void reply_entry(Request& request, const Inode& parent, const char* name) {
  fuse_entry_param entry{};
  if (const int error = look_up(request, parent, name, entry); error != 0) {
    request.error(error);
  } else if (!request.entry(entry)) {
    request.fs().inodes.forget(entry.ino, 1);
  }
}

void lookup(fuse_req_t raw, fuse_ino_t parent_id, const char* name) noexcept {
  serve(raw, Operation::lookup, parent_id, [name](Request& request, const Inode& parent) {
    FileSystem& fs = request.fs();
    fuse_entry_param entry{};
    const int error = look_up(request, parent, name, entry);
    if (error == ENOENT && fs.options.cache == Cache::always) {
      entry = {};  // inode 0: cache that there is no such name
      entry.entry_timeout = fs.timeout_s();
      request.entry(entry);
    } else if (error != 0) {
      request.error(error);
    } else if (!request.entry(entry)) {
      fs.inodes.forget(entry.ino, 1);
    }
  });
}

void forget(fuse_req_t raw, fuse_ino_t id, std::uint64_t lookups) noexcept {
  serve(raw, Operation::forget, id, [&](Request& request, const Inode& inode) {
    request.fs().inodes.forget(inode.id, lookups);
    request.nothing();
  });
}

void forget_multi(fuse_req_t raw, std::size_t count, fuse_forget_data* forgets) noexcept {
  Request request(raw, Operation::forget);
  for (std::size_t i = 0; i < count; ++i)
    request.fs().inodes.forget(forgets[i].ino, forgets[i].nlookup);
  request.nothing();
}

// Runs create() as the requester; when that created `name`, answers with its entry. `mode` is the
// mode of a file, and 0 for everything else.
template <typename Create>
void make(fuse_req_t raw, Operation operation, fuse_ino_t parent_id, const char* name, mode_t mode,
          Create create) noexcept {
  serve(raw, operation, parent_id, [&](Request& request, const Inode& parent) {
    if (!is_plain_name(name)) {
      request.error(EINVAL);
      return;
    }
    int error = 0;
    {
      const RequesterGroups groups(raw, is_set_group_id(mode));
      const RequesterIdentity as(request.context(), request.fs().options);
      if (create(parent) != 0) error = errno;
    }
    if (error != 0) {
      request.error(error);
    } else {
      reply_entry(request, parent, name);
    }
  });
}

void mknod(fuse_req_t raw, fuse_ino_t parent, const char* name, mode_t mode,
           dev_t device) noexcept {
  make(raw, Operation::mknod, parent, name, mode,
       [=](const Inode& directory) { return ::mknodat(directory.fd.get(), name, mode, device); });
}

void mkdir(fuse_req_t raw, fuse_ino_t parent, const char* name, mode_t mode) noexcept {
  make(raw, Operation::mkdir, parent, name, 0,
       [=](const Inode& directory) { return ::mkdirat(directory.fd.get(), name, mode); });
}

void symlink(fuse_req_t raw, const char* target, fuse_ino_t parent, const char* name) noexcept {
  make(raw, Operation::symlink, parent, name, 0,
       [=](const Inode& directory) { return ::symlinkat(target, directory.fd.get(), name); });
}

void link(fuse_req_t raw, fuse_ino_t id, fuse_ino_t parent_id, const char* name) noexcept {
  serve(raw, Operation::link, id, [=](Request& request, const Inode& inode) {
    const InodePtr parent = request.fs().inodes.find(parent_id);
    if (!parent || !is_plain_name(name)) {
      request.error(parent ? EINVAL : ESTALE);
      return;
    }
    // AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH; the magic link needs no capability.
    const FdName self(inode.fd.get());
    if (::linkat(AT_FDCWD, self.path, parent->fd.get(), name, AT_SYMLINK_FOLLOW) != 0) {
      request.error(errno);
    } else {
      reply_entry(request, *parent, name);
    }
  });
}

void remove(fuse_req_t raw, Operation operation, fuse_ino_t parent_id, const char* name,
            int flags) noexcept {
  serve(raw, operation, parent_id, [=](Request& request, const Inode& parent) {
    if (!is_plain_name(name)) {
      request.error(EINVAL);
    } else {
      request.result(::unlinkat(parent.fd.get(), name, flags));
    }
  });
}

void unlink(fuse_req_t raw, fuse_ino_t parent, const char* name) noexcept {
  remove(raw, Operation::unlink, parent, name, 0);
}

void rmdir(fuse_req_t raw, fuse_ino_t parent, const char* name) noexcept {
  remove(raw, Operation::rmdir, parent, name, AT_REMOVEDIR);
}

int rename_as(const Request& request, unsigned flags, const Inode& from, const char* name,
              const Inode& to, const char* new_name) {
  // RENAME_WHITEOUT creates a file, which must belong to the requester.
  std::optional<RequesterIdentity> as;
  if ((flags & RENAME_WHITEOUT) != 0) as.emplace(request.context(), request.fs().options);
  // A raw system call: musl and old glibc have no renameat2.
  return static_cast<int>(
      ::syscall(SYS_renameat2, from.fd.get(), name, to.fd.get(), new_name, flags));
}

// The kernel uses the new name without another lookup.
void note_name(FileSystem& fs, const Inode& parent, const char* name) {
  if (const auto key = find_key(parent.fd.get(), name))
    fs.inodes.rename(*key, {parent.id, name, fs.paths.child(parent.node, name)});
}

void rename(fuse_req_t raw, fuse_ino_t from_id, const char* name, fuse_ino_t to_id,
            const char* new_name, unsigned flags) noexcept {
  serve(raw, Operation::rename, from_id, [=](Request& request, const Inode& from) {
    const InodePtr to = request.fs().inodes.find(to_id);
    if (!to || !is_plain_name(name) || !is_plain_name(new_name)) {
      request.error(to ? EINVAL : ESTALE);
      return;
    }
    if (rename_as(request, flags, from, name, *to, new_name) != 0) {
      request.error(errno);
      return;
    }
    note_name(request.fs(), *to, new_name);
    if ((flags & RENAME_EXCHANGE) != 0) note_name(request.fs(), from, name);
    request.done();
  });
}

void readlink(fuse_req_t raw, fuse_ino_t id) noexcept {
  serve(raw, Operation::readlink, id, [](Request& request, const Inode& inode) {
    char target[PATH_MAX + 1];
    const ssize_t length = ::readlinkat(inode.fd.get(), "", target, sizeof(target));
    if (length < 0 || length == sizeof(target)) {
      request.error(length < 0 ? errno : ENAMETOOLONG);
      return;
    }
    target[length] = '\0';
    request.text(target);
  });
}

}  // namespace

int look_up(const Request& request, const Inode& parent, const char* name,
            fuse_entry_param& entry) {
  if (!is_plain_name(name)) return EINVAL;
  if (!request.fs().has_room_in_directory(request.context())) return ENFILE;
  FoundFile found{open_in_mount_patiently(parent.fd.get(), name), true};
  if (!found.fd && errno == EXDEV)
    found = {open_patiently(parent.fd.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC), false};
  if (!found.fd) return errno == EMFILE ? ENFILE : errno;
  return enter(request, parent, name, std::move(found), entry);
}

int look_up_open(const Request& request, const Inode& parent, const char* name, int open_fd,
                 fuse_entry_param& entry) {
  Descriptor fd =
      open_patiently(request.fs().self_fd(), FdName(open_fd).name(), O_PATH | O_CLOEXEC);
  if (!fd) return errno == EMFILE ? ENFILE : errno;
  return enter(request, parent, name, {std::move(fd), true}, entry);
}

void add_name_operations(fuse_lowlevel_ops& operations) {
  operations.lookup = lookup;
  operations.forget = forget;
  operations.forget_multi = forget_multi;
  operations.mknod = mknod;
  operations.mkdir = mkdir;
  operations.symlink = symlink;
  operations.link = link;
  operations.unlink = unlink;
  operations.rmdir = rmdir;
  operations.rename = rename;
  operations.readlink = readlink;
}

}  // namespace zctrace::fuse
