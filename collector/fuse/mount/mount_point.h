// SPDX-License-Identifier: MIT
// Checks the source and the mount point before mounting, and unmounts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Whether absolute path `inner` is `outer` or lies below it. Both are canonical.
bool is_within(std::string_view inner, std::string_view outer);

struct MountPoint {
  std::string source;  // canonical
  std::string target;  // canonical
  Descriptor root;     // the source, O_PATH
};

// Throws Error, with a one-line message, if the source is missing or not a directory; if the target
// is missing, not a directory or not empty; or if one lies inside the other.
MountPoint check_mount_point(const std::string& source, const std::string& target);

// Returns the path of fusermount3. Throws Error if /dev/fuse or fusermount3 is missing.
std::string require_fuse();

// Identifies a mount. A later mount may reuse the device number, and also the mount ID unless the
// kernel has unique ones (Linux 6.8).
struct MountIdentity {
  dev_t device = 0;  // 0: unknown
  std::uint64_t id = 0;
  bool operator==(const MountIdentity&) const = default;
};

// The mount at `target`. Does not query the file system: a process that waits for an answer of its
// own threads cannot be killed any more, because they would have to give the answer and die first.
MountIdentity mounted_at(const char* target) noexcept;

enum class Unmounted {
  yes,      // or another process has unmounted it already; a later mount there is left alone
  busy,     // the mount is in use, and `lazily` was not set
  covered,  // another file system is mounted over it
};

// Unmounts `mount` at `target`, and no other mount. Throws Error.
Unmounted unmount(const std::string& target, const MountIdentity& mount, bool lazily);

}  // namespace zctrace::fuse
