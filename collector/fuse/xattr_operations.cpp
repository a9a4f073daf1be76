// Extended attributes, through /proc/self/fd: O_PATH descriptors have no f*xattr.
#include <sys/xattr.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "collector/fuse/request.h"

namespace zctrace::fuse {
namespace {

// Size 0 asks how much there is. fetch(buffer, size) as getxattr(2).
template <typename Fetch>
void reply_attribute(Request& request, std::size_t size, Fetch fetch) {
  if (size == 0) {
    const ssize_t needed = fetch(nullptr, 0);
    if (needed < 0) {
      request.error(errno);
    } else {
      request.xattr_size(static_cast<std::size_t>(needed));
    }
    return;
  }
  std::vector<char> value(size);
  const ssize_t length = fetch(value.data(), size);
  if (length < 0) {
    request.error(errno);
  } else {
    request.buffer(value.data(), static_cast<std::size_t>(length));
  }
}

void getxattr(fuse_req_t raw, fuse_ino_t id, const char* name, std::size_t size) noexcept {
  serve(raw, Operation::getxattr, id, [=](Request& request, const Inode& inode) {
    const FdName self(inode.fd.get());
    reply_attribute(request, size, [&](char* value, std::size_t room) {
      return ::getxattr(self.path, name, value, room);
    });
  });
}

void listxattr(fuse_req_t raw, fuse_ino_t id, std::size_t size) noexcept {
  serve(raw, Operation::listxattr, id, [=](Request& request, const Inode& inode) {
    const FdName self(inode.fd.get());
    reply_attribute(request, size, [&](char* names, std::size_t room) {
      return ::listxattr(self.path, names, room);
    });
  });
}

void setxattr(fuse_req_t raw, fuse_ino_t id, const char* name, const char* value, std::size_t size,
              int flags) noexcept {
  serve(raw, Operation::setxattr, id, [=](Request& request, const Inode& inode) {
    request.result(::setxattr(FdName(inode.fd.get()).path, name, value, size, flags));
  });
}

void removexattr(fuse_req_t raw, fuse_ino_t id, const char* name) noexcept {
  serve(raw, Operation::removexattr, id, [=](Request& request, const Inode& inode) {
    request.result(::removexattr(FdName(inode.fd.get()).path, name));
  });
}

}  // namespace

void add_xattr_operations(fuse_lowlevel_ops& operations) {
  operations.getxattr = getxattr;
  operations.listxattr = listxattr;
  operations.setxattr = setxattr;
  operations.removexattr = removexattr;
}

}  // namespace zctrace::fuse
