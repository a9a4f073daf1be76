// SPDX-License-Identifier: MIT
// Calls on /dev/fuse that headers of Linux 6.1 do not know.
#include "collector/fuse/filesystem/backing_files.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "collector/fuse/filesystem/file_system.h"
#include "collector/fuse/filesystem/requester_identity.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {
namespace {

// struct fuse_backing_map, FUSE_DEV_IOC_BACKING_OPEN and _CLOSE of linux/fuse.h.
struct BackingMap {
  std::int32_t fd;
  std::uint32_t flags;
  std::uint64_t padding;
};
constexpr unsigned long kBackingOpen = _IOW(229, 1, BackingMap);
constexpr unsigned long kBackingClose = _IOW(229, 2, std::uint32_t);

constexpr uid_t kNobody = 65534;

}  // namespace

// A kernel that knows the call refuses it for a device without a connection.
std::string refusal_of_backing_files() {
  if (::geteuid() != 0) return "only root may let the kernel read and write the files of a mount";
  const Descriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  BackingMap map = {-1, 0, 0};
  if (device && ::ioctl(device.get(), kBackingOpen, &map) != 0 && errno == ENOTTY)
    return "this kernel cannot read and write the files of a FUSE mount itself; Linux 6.9 can";
  return "";
}

std::int32_t BackingFiles::open(Backing& backing, const std::function<Descriptor()>& reopen,
                                const FileSystemOptions& options) noexcept {
  if (!enabled_) return 0;
  const std::lock_guard lock(backing.mutex);
  if (backing.opens++ != 0) return backing.id;
  // The kernel keeps this description. That of a handle must end with the handle, for its locks.
  const Descriptor file = reopen();
  struct stat status;
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  // The kernel reads and writes as the thread that registers the file.
  const RequesterSpace as(status.st_uid != 0 ? status.st_uid : kNobody, options, true);
  BackingMap map = {file.get(), 0, 0};
  const int id = ::ioctl(device_, kBackingOpen, &map);
  backing.id = id > 0 ? id : 0;
  return backing.id;
}

void BackingFiles::close(Backing& backing) noexcept {
  if (!enabled_) return;
  const std::lock_guard lock(backing.mutex);
  if (--backing.opens != 0 || backing.id == 0) return;
  std::uint32_t id = static_cast<std::uint32_t>(backing.id);
  ::ioctl(device_, kBackingClose, &id);
  backing.id = 0;
}

}  // namespace zctrace::fuse
