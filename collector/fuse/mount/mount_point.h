// SPDX-License-Identifier: MIT
// Checks the source and the mount point before mounting, and unmounts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Whether absolute path `inner` is `outer` or lies below it. Both are canonical.
bool is_within(std::string_view inner, std::string_view outer);

struct MountPoint {
  std::string source;  // canonical
  std::string target;  // canonical
  // Both O_PATH. What is served and where it appears is decided by these, never by the paths again.
  Descriptor root;       // the source
  Descriptor directory;  // the directory that is mounted over
};

// Opens and checks both directories. Throws Error, with a one-line message, if the source is
// missing or not a directory; if the target is missing, not a directory or not empty; or if one
// lies inside the other.
MountPoint check_mount_point(const std::string& source, const std::string& target);

// Returns the path of fusermount3. Throws Error if /dev/fuse or fusermount3 is missing.
std::string require_fuse();

// Identifies a mount. A later mount may reuse the device number, and also the mount ID unless the
// kernel has unique ones (Linux 6.8).
struct MountIdentity {
  dev_t device = 0;  // 0: unknown
  std::uint64_t id = 0;
  std::uint64_t listed_id = 0;  // the one that /proc/self/mountinfo shows
  bool operator==(const MountIdentity&) const = default;
};

// The mount that a descriptor belongs to, and the mount at the end of a path. Neither queries the
// file system: a process that waits for an answer of its own threads cannot be killed any more,
// because they would have to give the answer and die first.
MountIdentity mount_of(int fd) noexcept;
MountIdentity mounted_at(const char* path) noexcept;

// Opens the root of what is mounted over `directory` at this moment, whatever its path is now.
// Empty if nothing is mounted there.
Descriptor open_mounted(int directory) noexcept;
// Opens the root of `mount`, which was mounted over `directory`. Empty if it is gone, or if another
// file system is mounted over it.
Descriptor open_mount(int directory, const MountIdentity& mount);

// Detaches the mount that `root` is the root of, and no other. Returns 0 or an errno.
int detach(int root, int flags) noexcept;

enum class Unmounted {
  yes,      // or another process has unmounted it already; a later mount there is left alone
  busy,     // it is detached, and processes still use it
  covered,  // another file system is mounted over it
};

// Unmounts `mount`, which was mounted over `directory`, and no other mount. It is detached while
// processes use it; `used` says whether they do. Throws Error.
Unmounted unmount(int directory, const MountIdentity& mount, const std::function<bool()>& used);

}  // namespace zctrace::fuse
