// SPDX-License-Identifier: MIT
// Finds what processes belong to: the path of a cgroup names a systemd unit, or a container and
// pod.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/model/owners/process_owner.h"
#include "collector/model/report.h"
#include "collector/observe/containers/container_names.h"
#include "collector/os/proc_reader.h"

namespace zctrace {

// Parses the text of /proc/PID/cgroup, with cgroup v1, v2 or both. Understands the paths of
// systemd, Docker, Podman, containerd, CRI-O and the kubelet, with either cgroup driver. A path
// that begins with "/.." belongs to another cgroup namespace. Pure.
ProcessOwner owner_of(std::string_view cgroups);

// Remembers the owners of processes for as long as they are in the reports. One thread at a time.
class OwnerCache {
 public:
  // Looks at /proc and at the files of container runtimes below `root`, which tests replace with a
  // tree of their own.
  explicit OwnerCache(const std::filesystem::path& root = "/") : root_(root), names_(root) {}

  // Looks up processes that are new or have a new name (an exec may follow a move to another
  // cgroup), and forgets those that are not in `processes`. A process that ended before the first
  // look has the owner of its parent. Names of containers may come later than their IDs.
  void update(const std::vector<Process>& processes);

  // The owner of a process that is in the latest update. An empty one for any other process.
  const ProcessOwner& of(const Process& process) const;

 private:
  using PidAndStart = std::pair<std::int64_t, std::uint64_t>;
  struct CacheEntry {
    std::string name;
    ProcessOwner owner;
  };

  std::map<std::int64_t, ProcessOwner> look_up(const std::vector<Process>& processes);

  std::filesystem::path root_;
  ContainerNames names_;
  std::unique_ptr<ProcReader> proc_ = std::make_unique<ProcReader>();
  std::map<PidAndStart, CacheEntry> entries_;
};

}  // namespace zctrace
