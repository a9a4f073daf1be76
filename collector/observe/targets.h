// SPDX-License-Identifier: MIT
// Finds the processes, cgroups and patterns that the user's targets stand for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/os/proc_reader.h"

namespace zctrace {

// The targets of the command line. All of them are observed.
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

// In words: "every process", "process 4711, processes named nginx, unit cron.service".
std::string description(const Targets& targets);

// A look at /proc and /sys below `root`, which tests replace with a tree of their own.
class TargetFinder {
 public:
  explicit TargetFinder(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // Throws Error if /proc belongs to another PID namespace, because its PIDs then differ.
  void require_own_proc() const;

  // Throws Error unless `pid` is an existing process, of `user` if one is given. A thread is not.
  void require_process(pid_t pid, std::optional<uid_t> user = std::nullopt) const;

  // Whether /proc is mounted with hidepid, which hides the processes of other users.
  bool proc_hides_processes() const;

  // Whether `pid` exists and has not ended. One that does not answer counts as running.
  bool is_running(pid_t pid) const;

  // Processes whose comm, or whose executable's base name, matches a glob.
  std::vector<pid_t> processes_named(const std::vector<std::string>& globs) const;

  // The directory of a cgroup: an absolute path below where cgroup v2 is mounted, or a path
  // in its hierarchy ("/system.slice/nginx.service"). Throws Error when there is none.
  std::filesystem::path cgroup_directory(const std::string& path) const;
  // The cgroups of a systemd unit, in whatever slice. Throws Error when it has none.
  std::vector<std::filesystem::path> unit_directories(const std::string& unit) const;

 private:
  std::filesystem::path cgroup_mount() const;  // throws Error
  std::string status_path(pid_t pid) const;

  std::filesystem::path root_;
  // Some processes that do not answer must not hide others that have a wanted name.
  std::unique_ptr<ProcReader> proc_ =
      std::make_unique<ProcReader>(std::chrono::milliseconds(20), 64);
};

// The kernel's number of a cgroup. Throws Error.
std::uint64_t cgroup_id(const std::filesystem::path& directory);

// The same, or 0 if there is no such cgroup.
std::uint64_t cgroup_id_if_any(const std::filesystem::path& directory);

// A cgroup's name, and the number it had at the last look. A service that restarts gets a new
// cgroup with the same name.
struct Cgroup {
  std::filesystem::path directory;
  std::uint64_t id;
};

}  // namespace zctrace
