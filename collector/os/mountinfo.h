// SPDX-License-Identifier: MIT
// What is mounted where; proc(5), mountinfo.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace zctrace {

struct MountEntry {
  std::string device;  // "major:minor"
  std::string target;  // where it is mounted
  std::string type;    // "cgroup2", "fuse.zctrace"
};

// In the order of the file, so that what is mounted over something comes after it. Empty where the
// file cannot be read.
std::vector<MountEntry> read_mounts(const std::filesystem::path& mountinfo);

}  // namespace zctrace
