// Where from and where to: what is checked before mounting, and how it is unmounted.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "collector/descriptor.h"

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

// The device number of what is mounted at `target`, 0: unknown. Without asking the file system: a
// process that waits for an answer of its own threads can no longer be killed, for only they, who
// die first, could give it.
dev_t device_at(const char* target) noexcept;

// True: it is gone. False: somebody uses it, and `lazily` was not asked for. Throws Error.
bool unmount(const std::string& target, bool lazily);

}  // namespace zctrace::fuse
