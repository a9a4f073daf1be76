// SPDX-License-Identifier: MIT
// Where a process runs: its systemd unit, or its container and pod, as its cgroup's path says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/model/report.h"

namespace zctrace {

// Empty where there is none. A process in a container has no unit.
struct Place {
  std::string unit;          // "nginx.service"
  std::string container_id;  // 64 hexadecimal digits, as the runtimes give it
  std::string pod_uid;       // with hyphens

  auto operator<=>(const Place&) const = default;
};

// From the text of a /proc/PID/cgroup, of cgroup v1, v2 or both. Paths of systemd and of
// Docker, Podman, containerd, CRI-O and the kubelet, with either cgroup driver; paths that
// begin with "/.." are those of another cgroup namespace. Pure.
Place place_of(std::string_view cgroups);

// Remembers the places of processes for as long as they are in the reports. One thread at a time.
class Places {
 public:
  // Looks at /proc below `root`, which tests replace by a tree of their own.
  explicit Places(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // Looks up who is new or has another name than before (an exec may come after a move to
  // another cgroup), and forgets who is no longer there. A process that ended before anybody
  // looked has its parent's place.
  void update(const std::vector<Process>& processes);

  // Of a process of the latest update; of any other, nowhere.
  const Place& of(const Process& process) const;

 private:
  using Key = std::pair<std::int64_t, std::uint64_t>;  // pid, start
  struct Known {
    std::string name;
    Place place;
  };

  bool read(std::int64_t pid, Place& place) const;

  std::filesystem::path root_;
  std::map<Key, Known> known_;
};

}  // namespace zctrace
