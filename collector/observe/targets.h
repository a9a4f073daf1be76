// SPDX-License-Identifier: MIT
// Who is to be observed: from what a user names to pids, cgroups and patterns.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace zctrace {

// As named on the command line; all of them together are observed.
struct Targets {
  std::vector<pid_t> pids;
  std::vector<std::string> names;    // globs of comm or of the executable's base name
  std::vector<std::string> cgroups;  // directories in cgroup v2, with what is below them
  std::vector<std::string> units;    // systemd's
  bool all = false;

  bool empty() const {
    return pids.empty() && names.empty() && cgroups.empty() && units.empty() && !all;
  }
};

// A look at /proc and /sys below `root`, which tests replace by a tree of their own.
class TargetFinder {
 public:
  explicit TargetFinder(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // Throws Error where /proc is not of this process's pid namespace: its numbers are others'.
  void require_own_proc() const;

  // Throws Error unless `pid` is a process (not a thread of one) that is there.
  void require_process(pid_t pid) const;

  // Whether `pid` is there and has not ended.
  bool is_running(pid_t pid) const;

  // Processes whose comm, or whose executable's base name, matches a glob.
  std::vector<pid_t> processes_named(const std::vector<std::string>& globs) const;

  // The directory of a cgroup: an absolute path below where cgroup v2 is mounted, or a path
  // in its hierarchy ("/system.slice/nginx.service"). Throws Error when there is none.
  std::filesystem::path cgroup_directory(const std::string& path) const;
  // Those of a systemd unit, wherever its slice is. Throws Error when it has none.
  std::vector<std::filesystem::path> unit_directories(const std::string& unit) const;

 private:
  std::filesystem::path cgroup_mount() const;  // throws Error

  std::filesystem::path root_;
};

// The number by which the kernel knows a cgroup. Throws Error.
std::uint64_t cgroup_id(const std::filesystem::path& directory);

// The same, 0 when there is none.
std::uint64_t cgroup_id_if_any(const std::filesystem::path& directory);

// A cgroup by its name, and the number that it had when it was last looked at: a service that is
// restarted has another one of the same name.
struct Cgroup {
  std::filesystem::path directory;
  std::uint64_t id;
};

}  // namespace zctrace
