// SPDX-License-Identifier: MIT
// Where from and where to: what is checked before mounting, and how it is unmounted.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Whether absolute path `inner` is `outer` or lies below it; both canonical.
bool is_within(std::string_view inner, std::string_view outer);

struct MountPoint {
  std::string source;  // canonical
  std::string target;  // canonical
  Descriptor root;     // of the source, O_PATH
};

// Throws Error, one line each: source missing or not a directory; target missing, not a
// directory, not empty; one inside the other.
MountPoint check_mount_point(const std::string& source, const std::string& target);

// The path of fusermount3. Throws Error: no /dev/fuse, no fusermount3.
std::string require_fuse();

// Which mount it is. The next one may have the number of a device that is gone, and its id, too,
// unless the kernel has unique ones (6.8).
struct MountIdentity {
  dev_t device = 0;  // 0: unknown
  std::uint64_t id = 0;
  bool operator==(const MountIdentity&) const = default;
};

// What is mounted at `target`. Without asking the file system: a process that waits for an answer
// of its own threads can no longer be killed, for only they, who die first, could give it.
MountIdentity mounted_at(const char* target) noexcept;

enum class Unmounted {
  yes,      // or somebody else was faster, and whatever is mounted there now is his
  busy,     // somebody uses it, and `lazily` was not asked for
  covered,  // something else is mounted over it
};

// Unmounts `mount` at `target` and nothing else. Throws Error.
Unmounted unmount(const std::string& target, const MountIdentity& mount, bool lazily);

}  // namespace zctrace::fuse
