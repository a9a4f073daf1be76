// SPDX-License-Identifier: MIT
// Extended attributes, through /proc/self/fd: f*xattr does not accept O_PATH descriptors.
#include <linux/limits.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "collector/fuse/filesystem/request.h"
#include "collector/fuse/filesystem/requester_identity.h"

namespace zctrace::fuse {
namespace {

// Size 0 requests the length only. fetch(buffer, size) behaves like getxattr(2).
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

bool is_acl(std::string_view name) {
  return name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

void getxattr(fuse_req_t raw, fuse_ino_t id, const char* name, std::size_t size) noexcept {
  serve(raw, Operation::getxattr, id, [=](Request& request, const Inode& inode) {
    if (std::strcmp(name, "security.capability") == 0) request.fs().writes.announced();
    const FdName self(inode.fd.get());
    reply_attribute(request, size, [&](char* value, std::size_t room) {
      const ssize_t length = ::getxattr(self.path, name, value, room);
      // The kernel asks for the ACL before it grants access, and takes this error for a refusal.
      if (length < 0 && errno == EOPNOTSUPP && is_acl(name)) errno = ENODATA;
      return length;
    });
  });
}

constexpr std::string_view kTrusted = "trusted.";

// Like listxattr(2), without the names that need CAP_SYS_ADMIN.
ssize_t list_for_ordinary_user(const char* path, char* names, std::size_t room) {
  std::vector<char> all(XATTR_LIST_MAX);
  const ssize_t length = ::listxattr(path, all.data(), all.size());
  if (length < 0) return length;
  std::string shown;
  for (const char* name = all.data(); name < all.data() + length;) {
    const std::string_view text(name);
    if (text.substr(0, kTrusted.size()) != kTrusted) shown.append(text).push_back('\0');
    name += text.size() + 1;
  }
  if (room != 0 && shown.size() > room) {
    errno = ERANGE;
    return -1;
  }
  if (room != 0) shown.copy(names, shown.size());
  return static_cast<ssize_t>(shown.size());
}

void listxattr(fuse_req_t raw, fuse_ino_t id, std::size_t size) noexcept {
  serve(raw, Operation::listxattr, id, [=](Request& request, const Inode& inode) {
    const FdName self(inode.fd.get());
    reply_attribute(request, size, [&](char* names, std::size_t room) {
      // Requests do not say whether the requester has CAP_SYS_ADMIN, so this assumes that only root
      // has it.
      return is_ordinary_user(request.raw()) ? list_for_ordinary_user(self.path, names, room)
                                             : ::listxattr(self.path, names, room);
    });
  });
}

void setxattr(fuse_req_t raw, fuse_ino_t id, const char* name, const char* value, std::size_t size,
              int flags) noexcept {
  serve(raw, Operation::setxattr, id, [=](Request& request, const Inode& inode) {
    // Setting an ACL must drop set-group-ID from a file whose group its owner is not in. The kernel
    // requests this by a flag that libfuse 3.14 does not handle (FUSE_SETXATTR_ACL_KILL_SGID).
    const bool sets_mode = std::strcmp(name, "system.posix_acl_access") == 0;
    const RequesterGroups groups(raw, sets_mode);
    // Also because an attribute can take a block of its own.
    const RequesterIdentity as(request.context(), request.fs().options);
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
