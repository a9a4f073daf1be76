// SPDX-License-Identifier: MIT
// Mounts that begin attached to no directory: they are reached through a descriptor and end with
// it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Opens /dev/fuse. Throws Error (cannot run here) with advice.
Descriptor open_device();

// Each returns the root of a new file system that no other process sees. However this process ends,
// nothing stays behind: the mounts end with the last descriptor. Both need CAP_SYS_ADMIN. Throws
// Error (cannot run here).
Descriptor mount_detached_tmpfs();
// A FUSE file system for every user, owned by root. It is served by reading `device`.
Descriptor mount_detached_fuse(const Descriptor& device);
// Mounts it over the directory that `directory` refers to, whatever its path is now. Returns 0 or
// an errno.
int attach_mount(const Descriptor& mount, const Descriptor& directory) noexcept;

// Opens the file system of all FUSE connections (fusectl), whose directories are numbers: a mount
// of our own, or the usual /sys/fs/fuse/connections, which is all that an ordinary user can open.
// Empty where neither exists.
Descriptor open_connections() noexcept;
unsigned connection_number(dev_t device) noexcept;
// The file that aborts a connection when it is written to. It belongs to that connection forever,
// so open it while the connection exists: a later one may get the same number.
Descriptor open_abort(int connections, dev_t device) noexcept;

// The kernel's own count of the requests that a FUSE file system has not answered yet.
class ConnectionQueue {
 public:
  // `mount`: the root, from mount_detached_fuse(). Throws Error (cannot run here).
  explicit ConnectionQueue(const Descriptor& mount);
  // nullopt: the connection has ended.
  std::optional<std::uint64_t> requests() const;

 private:
  Descriptor control_;
  unsigned connection_;
};

}  // namespace zctrace::fuse
