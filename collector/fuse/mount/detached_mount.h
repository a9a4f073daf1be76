// SPDX-License-Identifier: MIT
// Mounts without a place in any directory tree: reached through a descriptor, gone with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// /dev/fuse, open. Throws Error (cannot run here), which says what to do about it.
Descriptor open_device();

// Each is the root of a new file system that nobody else sees. Whatever becomes of this process,
// nothing of them stays behind: they end with the last descriptor. Each needs CAP_SYS_ADMIN.
// Throws Error (cannot run here).
Descriptor mount_detached_tmpfs();
// The one that whoever reads `device` serves. Root's, for every user.
Descriptor mount_detached_fuse(const Descriptor& device);

// The file system of all FUSE connections: a mount of our own, or the one in its usual place, which
// is what an ordinary user can have; -1 where there is neither. Its directories are numbers.
Descriptor open_connections() noexcept;
unsigned connection_number(dev_t device) noexcept;

// The kernel's own count of the requests that a FUSE file system has not answered yet.
class Outstanding {
 public:
  // `mount`: the root, from mount_detached_fuse(). Throws Error (cannot run here).
  explicit Outstanding(const Descriptor& mount);
  // nullopt: the file system is dead.
  std::optional<std::uint64_t> requests() const;

 private:
  Descriptor control_;
  unsigned connection_;
};

}  // namespace zctrace::fuse
