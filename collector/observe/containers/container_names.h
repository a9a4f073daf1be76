// SPDX-License-Identifier: MIT
// The names of containers and pods, as runtimes and the kubelet leave them in files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "collector/model/owners/process_owner.h"

namespace zctrace {

// Finds names in the files of the kubelet (/var/log/containers, /var/log/pods), Docker
// (/var/lib/docker) and Podman (/var/lib/containers). What it reads, and how often, is bounded; a
// name with other characters than such names have is not taken. Files that the caller may not read,
// or that are not there, leave the name unknown. One thread at a time.
class ContainerNames {
 public:
  static constexpr std::size_t kMostNames = 4096;      // remembered, and read of each directory
  static constexpr std::size_t kMostBytes = 4U << 20;  // of a file; a longer one is not read
  // A container is in no file while it starts: its files are looked for in the first round that
  // asks for it, the second, the fourth, and so on up to this one.
  static constexpr unsigned kLastLook = 64;
  static constexpr unsigned kMostLooks = 32;  // of one round, for all containers together

  // Looks below `root`, which tests replace with a tree of their own.
  explicit ContainerNames(std::filesystem::path root = "/") : root_(std::move(root)) {}

  // A round is one look at all processes.
  void begin_round();
  // `container_id` is 64 hexadecimal digits or empty, as is `pod_uid`, with hyphens or without.
  const ContainerName& of(const std::string& container_id, const std::string& pod_uid);

 private:
  using Ids = std::pair<std::string, std::string>;
  struct Remembered {
    ContainerName name;
    unsigned rounds = 0;      // that asked for it
    std::uint64_t round = 0;  // the latest of them
  };

  ContainerName look_up(const std::string& container_id, const std::string& pod_uid) const;
  std::optional<ContainerName> of_kubelet(const std::string& container_id) const;
  std::optional<ContainerName> of_pod(const std::string& pod_uid) const;
  std::string of_docker(const std::string& container_id) const;
  std::string of_podman(const std::string& container_id) const;

  std::filesystem::path root_;
  std::map<Ids, Remembered> remembered_;
  std::uint64_t round_ = 1;
  unsigned looks_left_ = kMostLooks;
};

}  // namespace zctrace
