// SPDX-License-Identifier: MIT
// Uses the mount interface of Linux 5.2 (fsopen, fsmount), which creates a mount before attaching
// it to a directory.
#include "collector/fuse/mount/detached_mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

// A file system that is being created.
class NewFileSystem {
 public:
  explicit NewFileSystem(const char* type) : type_(type), context_(::fsopen(type, FSOPEN_CLOEXEC)) {
    if (!context_) fail();
  }

  void set(const char* key, const std::string& value) {
    if (::fsconfig(context_.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0) fail();
  }
  void set(const char* flag) {
    if (::fsconfig(context_.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) != 0) fail();
  }
  Descriptor mount() {
    if (::fsconfig(context_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) fail();
    Descriptor root(
        ::fsmount(context_.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
    if (!root) fail();
    return root;
  }

 private:
  [[noreturn]] void fail() const {
    const int error = errno;
    throw Error(std::string("cannot mount a private ") + type_ + ": " + std::strerror(error) +
                    (error == EPERM ? "; it needs CAP_SYS_ADMIN: run as root" : ""),
                kExitCannotRun);
  }

  const char* type_;
  Descriptor context_;
};

// Does not query the file system, which may not be served yet.
unsigned connection_of(const Descriptor& mount) {
  struct statx status = {};
  constexpr int kDoNotAsk = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (::statx(mount.get(), "", kDoNotAsk, STATX_TYPE, &status) != 0)
    throw system_error("cannot find the number of a FUSE connection", errno);
  return connection_number(makedev(status.stx_dev_major, status.stx_dev_minor));
}

}  // namespace

Descriptor open_device() {
  Descriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (device) return device;
  const int error = errno;
  throw Error(std::string("cannot open /dev/fuse: ") + std::strerror(error) +
                  (error == ENOENT || error == ENODEV || error == ENXIO
                       ? "; load the module (modprobe fuse), or pass the device into the container"
                       : "; run as root, and in a container allow the device"),
              kExitCannotRun);
}

Descriptor mount_detached_tmpfs() {
  NewFileSystem tmpfs("tmpfs");
  tmpfs.set("mode", "700");
  return tmpfs.mount();
}

Descriptor mount_detached_fuse(const Descriptor& device) {
  NewFileSystem fuse("fuse");
  fuse.set("source", "zctrace");
  fuse.set("subtype", "zctrace");
  fuse.set("fd", std::to_string(device.get()));
  fuse.set("rootmode", "40000");  // S_IFDIR, octal
  fuse.set("user_id", "0");
  fuse.set("group_id", "0");
  fuse.set("allow_other");
  fuse.set("default_permissions");
  return fuse.mount();
}

int attach_mount(const Descriptor& mount, const Descriptor& directory) noexcept {
  constexpr unsigned kByDescriptor = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  return ::move_mount(mount.get(), "", directory.get(), "", kByDescriptor) == 0 ? 0 : errno;
}

Descriptor open_connections() noexcept {
  try {
    return NewFileSystem("fusectl").mount();
  } catch (...) {
    return Descriptor(::open("/sys/fs/fuse/connections", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
}

// The minor number of its anonymous device, whose major number is 0 (kernel:
// fuse_fill_super_common()).
unsigned connection_number(dev_t device) noexcept { return minor(device); }

Descriptor open_abort(int connections, dev_t device) noexcept {
  char name[32];
  std::snprintf(name, sizeof(name), "%u/abort", connection_number(device));
  return Descriptor(::openat(connections, name, O_WRONLY | O_CLOEXEC));
}

ConnectionQueue::ConnectionQueue(const Descriptor& mount)
    : control_(NewFileSystem("fusectl").mount()), connection_(connection_of(mount)) {}

std::optional<std::uint64_t> ConnectionQueue::requests() const {
  const std::string name = std::to_string(connection_) + "/waiting";
  // Opened for each read: the file disappears with the connection, but an open descriptor would
  // still read the old value.
  const Descriptor file(::openat(control_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
  char text[32] = {};
  if (!file || ::read(file.get(), text, sizeof(text) - 1) <= 0) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

}  // namespace zctrace::fuse
