// SPDX-License-Identifier: MIT
// The FUSE and virtiofs mounts that zctrace can see, and the one that a path names. None of this
// sends a request: a server that hangs must not stop zctrace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/os/mountinfo.h"

namespace zctrace::fusewatch {

struct FuseMount {
  std::string target;
  std::string type;          // "fuse.sshfs", "fuseblk", "virtiofs"
  std::string device;        // "0:57"
  std::uint32_t number = 0;  // the same, as the kernel's dev_t: major << 20 | minor
};

bool is_fuse(const MountEntry& entry);

// In the order in which they were mounted.
std::vector<FuseMount> fuse_mounts(const std::vector<MountEntry>& mounts);

// major << 20 | minor of "major:minor"; nullopt: not of that form.
std::optional<std::uint32_t> device_number(const std::string& device);
std::string device_text(std::uint32_t number);

// The mount that `path` is in. Throws Error: no such file, not on FUSE, and which mounts are.
FuseMount fuse_mount_of(const std::string& path);

}  // namespace zctrace::fusewatch
