// SPDX-License-Identifier: MIT
// Reads the mount points from /proc/PID/mountinfo; see proc(5).
#pragma once

#include <filesystem>
#include <istream>
#include <string>
#include <vector>

namespace zctrace {

struct MountEntry {
  std::string id;       // as in statx's STATX_MNT_ID
  std::string device;   // "major:minor"
  std::string target;   // where it is mounted
  std::string type;     // "cgroup2", "fuse.zctrace"
  std::string options;  // of the file system: "rw,user_id=0,group_id=0"
};

// In the order of the file, so that a mount on top of another comes after it. Empty if the file
// cannot be read.
std::vector<MountEntry> read_mounts(const std::filesystem::path& mountinfo);
std::vector<MountEntry> read_mounts(std::istream& mountinfo);

}  // namespace zctrace
