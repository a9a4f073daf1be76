// SPDX-License-Identifier: MIT
// opendir, readdir with and without attributes, releasedir, fsyncdir.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "collector/fuse/filesystem/handles.h"
#include "collector/fuse/filesystem/lookup.h"
#include "collector/fuse/filesystem/request.h"

namespace zctrace::fuse {
namespace {

void opendir(fuse_req_t raw, fuse_ino_t id, fuse_file_info* info) noexcept {
  serve(raw, Operation::opendir, id, [info](Request& request, Inode& inode) {
    // Not "." below the directory: that would need search permission, where read permission is
    // enough.
    Descriptor fd;
    if (request.fs().has_room(request.context()))
      fd = request.fs().reopen(inode, O_RDONLY | O_DIRECTORY);
    else
      errno = ENFILE;
    auto handle = std::make_unique<DirectoryHandle>();
    if (fd) handle->stream.reset(::fdopendir(fd.get()));
    if (!handle->stream) {
      request.error(errno == EMFILE ? ENFILE : errno);
      return;
    }
    fd.release();  // now owned by the stream
    handle->user = request.context().uid;
    handle->holding.assign(request.fs().shares, handle->user);
    handle->opener = request.process();
    info->fh = reinterpret_cast<std::uint64_t>(handle.get());
    info->cache_readdir = info->keep_cache = request.fs().options.cache == Cache::always;
    request.fs().inodes.opened(inode, handle->user);
    if (request.opened(*info)) {
      static_cast<void>(handle.release());  // owned by the kernel until releasedir
    } else {
      request.fs().inodes.closed(inode, handle->user);
    }
  });
}

// A reply that is being filled with entries. An entry that needs more than room() does not fit.
struct EntryBuffer {
  std::vector<char> text;
  std::size_t used = 0;

  char* end() { return text.data() + used; }
  std::size_t room() const { return text.size() - used; }
};

// Returns false when the entry does not fit. An entry that cannot be looked up is listed without
// attributes, as readdir would; a later lookup returns the error.
bool add_with_attributes(Request& request, const Inode& directory, const dirent& found,
                         EntryBuffer& buffer) {
  FileSystem& fs = request.fs();
  // Each entry with attributes keeps a descriptor open from now on; a name alone does not.
  const bool names_only = fs.near_descriptor_limit() ||
                          fs.room_for(request.context().uid) != DescriptorShares::Room::enough;
  fuse_entry_param entry = {};
  const bool looked_up = !names_only && is_plain_name(found.d_name) &&
                         look_up(request, directory, found.d_name, entry) == 0;
  if (!looked_up) {
    entry = {};  // inode 0: only a name
    entry.attr.st_ino = found.d_ino;
    entry.attr.st_mode = DTTOIF(found.d_type);
  }
  const std::size_t needed = ::fuse_add_direntry_plus(request.raw(), buffer.end(), buffer.room(),
                                                      found.d_name, &entry, found.d_off);
  if (needed > buffer.room()) {
    if (looked_up) fs.inodes.forget(entry.ino, 1);
    return false;
  }
  buffer.used += needed;
  return true;
}

bool add_name(Request& request, const dirent& found, EntryBuffer& buffer) {
  struct stat status = {};
  status.st_ino = found.d_ino;
  status.st_mode = DTTOIF(found.d_type);
  const std::size_t needed = ::fuse_add_direntry(request.raw(), buffer.end(), buffer.room(),
                                                 found.d_name, &status, found.d_off);
  if (needed > buffer.room()) return false;
  buffer.used += needed;
  return true;
}

// Fills the buffer with the entries from `offset` on. Returns 0, or a positive errno when there
// are none to return.
int fill_buffer(Request& request, Operation operation, const Inode& inode, DirectoryHandle& handle,
                off_t offset, EntryBuffer& buffer) {
  const std::lock_guard lock(handle.mutex);
  if (offset != handle.position) {
    // rewinddir() makes new entries visible.
    if (offset == 0) {
      ::rewinddir(handle.stream.get());
    } else {
      ::seekdir(handle.stream.get(), offset);
    }
    handle.position = offset;
  }
  for (;;) {
    errno = 0;
    const dirent* const found = ::readdir(handle.stream.get());
    if (found == nullptr) return buffer.used == 0 ? errno : 0;
    const bool added = operation == Operation::readdirplus
                           ? add_with_attributes(request, inode, *found, buffer)
                           : add_name(request, *found, buffer);
    if (!added) {
      ::seekdir(handle.stream.get(), handle.position);
      return 0;
    }
    handle.position = found->d_off;
  }
}

void list(fuse_req_t raw, Operation operation, fuse_ino_t id, std::size_t size, off_t offset,
          fuse_file_info* info) noexcept {
  serve(raw, operation, id, [=](Request& request, const Inode& inode) {
    EntryBuffer buffer;
    buffer.text.resize(size);
    const int error =
        fill_buffer(request, operation, inode, directory_handle(*info), offset, buffer);
    // Answer without the handle's lock: once the kernel has the answer, it may release the handle.
    if (error != 0) {
      request.error(error);
    } else {
      request.buffer(buffer.text.data(), buffer.used);
    }
  });
}

void readdir(fuse_req_t raw, fuse_ino_t id, std::size_t size, off_t offset,
             fuse_file_info* info) noexcept {
  list(raw, Operation::readdir, id, size, offset, info);
}

void readdirplus(fuse_req_t raw, fuse_ino_t id, std::size_t size, off_t offset,
                 fuse_file_info* info) noexcept {
  list(raw, Operation::readdirplus, id, size, offset, info);
}

void releasedir(fuse_req_t raw, fuse_ino_t id, fuse_file_info* info) noexcept {
  serve(raw, Operation::releasedir, id, [info](Request& request, Inode& inode) {
    const std::unique_ptr<DirectoryHandle> handle(&directory_handle(*info));
    request.charge_to(handle->opener);
    request.fs().inodes.closed(inode, handle->user);
    request.done();
  });
}

void fsyncdir(fuse_req_t raw, fuse_ino_t id, int only_contents, fuse_file_info* info) noexcept {
  serve(raw, Operation::fsyncdir, id, [=](Request& request, const Inode&) {
    const int fd = ::dirfd(directory_handle(*info).stream.get());
    request.result(only_contents != 0 ? ::fdatasync(fd) : ::fsync(fd));
  });
}

}  // namespace

void add_directory_operations(fuse_lowlevel_ops& operations) {
  operations.opendir = opendir;
  operations.readdir = readdir;
  operations.readdirplus = readdirplus;
  operations.releasedir = releasedir;
  operations.fsyncdir = fsyncdir;
}

}  // namespace zctrace::fuse
