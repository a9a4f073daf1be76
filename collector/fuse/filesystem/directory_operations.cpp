// SPDX-License-Identifier: MIT
// opendir, readdir with and without attributes, and their ends.
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
    // Not "." below it: that would need search permission, where reading is enough.
    Descriptor fd = request.fs().reopen(inode, O_RDONLY | O_DIRECTORY);
    auto handle = std::make_unique<DirectoryHandle>();
    if (fd) handle->stream.reset(::fdopendir(fd.get()));
    if (!handle->stream) {
      request.error(errno == EMFILE ? ENFILE : errno);
      return;
    }
    fd.release();  // the stream's
    handle->opener = request.process();
    info->fh = reinterpret_cast<std::uint64_t>(handle.get());
    info->cache_readdir = info->keep_cache = request.fs().options.cache == Cache::always;
    inode.handles++;
    if (request.opened(*info)) {
      static_cast<void>(handle.release());  // the kernel's, until releasedir
    } else {
      inode.handles--;
    }
  });
}

// The part of a reply that one entry takes; larger than `room`: it does not fit.
struct Page {
  std::vector<char> text;
  std::size_t used = 0;

  char* end() { return text.data() + used; }
  std::size_t room() const { return text.size() - used; }
};

// False: no room. An entry that cannot be looked up is listed without attributes, as readdir
// would; whoever wants it will get the error. So are all when `names_only`.
bool add_with_attributes(Request& request, const Inode& directory, const dirent& found,
                         bool names_only, Page& page) {
  FileSystem& fs = request.fs();
  fuse_entry_param entry = {};  // inode 0: a name only
  entry.attr.st_ino = found.d_ino;
  entry.attr.st_mode = DTTOIF(found.d_type);
  const bool known = !names_only && is_plain_name(found.d_name) &&
                     look_up(fs, directory, found.d_name, entry) == 0;
  const std::size_t needed = ::fuse_add_direntry_plus(request.raw(), page.end(), page.room(),
                                                      found.d_name, &entry, found.d_off);
  if (needed > page.room()) {
    if (known) fs.inodes.forget(entry.ino, 1);
    return false;
  }
  page.used += needed;
  return true;
}

bool add_name(Request& request, const dirent& found, Page& page) {
  struct stat status = {};
  status.st_ino = found.d_ino;
  status.st_mode = DTTOIF(found.d_type);
  const std::size_t needed = ::fuse_add_direntry(request.raw(), page.end(), page.room(),
                                                 found.d_name, &status, found.d_off);
  if (needed > page.room()) return false;
  page.used += needed;
  return true;
}

// Fills the page from `offset` on. 0, or a positive errno when there is no entry to give.
int fill_page(Request& request, Operation operation, const Inode& inode, DirectoryHandle& handle,
              off_t offset, Page& page) {
  const std::lock_guard lock(handle.mutex);
  if (offset != handle.position) {
    // rewinddir: the kernel shows new entries from then on.
    if (offset == 0) {
      ::rewinddir(handle.stream.get());
    } else {
      ::seekdir(handle.stream.get(), offset);
    }
    handle.position = offset;
  }
  // Each entry with attributes holds a descriptor from now on; names alone hold none.
  const bool names_only = request.fs().near_descriptor_limit();
  for (;;) {
    errno = 0;
    const dirent* const found = ::readdir(handle.stream.get());
    if (found == nullptr) return page.used == 0 ? errno : 0;
    const bool added = operation == Operation::readdirplus
                           ? add_with_attributes(request, inode, *found, names_only, page)
                           : add_name(request, *found, page);
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
    Page page;
    page.text.resize(size);
    const int error = fill_page(request, operation, inode, directory_handle(*info), offset, page);
    // Once the kernel has the answer it may release the handle: its lock is let go before.
    if (error != 0) {
      request.error(error);
    } else {
      request.buffer(page.text.data(), page.used);
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
    inode.handles--;
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
