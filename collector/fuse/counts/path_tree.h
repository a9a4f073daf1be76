// SPDX-License-Identifier: MIT
// Paths for the report, relative to the root of the mounted tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace zctrace::fuse {

// Each name below a parent is a node that is never removed, because a report covers files that are
// gone. The tree is bounded, both in names and in the bytes of all its paths: names beyond the
// limit share the node kOther, so their counts are summed and not lost. A user of the mount can
// nest directories as deep as it likes, so a path that is displayed is bounded, too. Paths are only
// displayed; no file is opened by them. Any thread may call.
class PathTree {
 public:
  using Node = std::uint32_t;
  static constexpr Node kOther = 0;
  static constexpr Node kRoot = 1;

  static constexpr std::size_t kLongestPath = 4096;  // bytes
  static constexpr std::size_t kAllPaths = 64 << 20;

  // `limit`: the number of nodes; `bytes`: the sum of the lengths of all paths.
  explicit PathTree(std::size_t limit, std::size_t bytes = kAllPaths);

  Node child(Node parent, std::string_view name);
  // "." for the root, "a/b" below it, "(other files)" for kOther. Of a path that is longer than
  // kLongestPath the last names, after "…/".
  std::string path(Node node) const;
  std::size_t size() const;

 private:
  struct NamedNode {
    Node parent;
    std::string name;
    std::size_t path_bytes;  // the length of its path, at most kLongestPath
  };
  struct ChildKey {
    Node parent;
    std::string_view name;  // a view into the node, or into the caller's argument
    bool operator==(const ChildKey&) const = default;
  };
  struct ChildKeyHash {
    std::size_t operator()(const ChildKey& key) const {
      return std::hash<std::string_view>()(key.name) ^ (key.parent * 0x9e3779b97f4a7c15ULL);
    }
  };

  const std::size_t limit_;
  const std::size_t bytes_limit_;
  mutable std::mutex mutex_;
  std::vector<std::vector<NamedNode>> blocks_;  // nodes never move: keys are views into them
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<ChildKey, Node, ChildKeyHash> nodes_;

  const NamedNode& entry(Node node) const;
  Node add(Node parent, std::string_view name);
};

}  // namespace zctrace::fuse
