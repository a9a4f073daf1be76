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
// gone. The tree is bounded: names beyond the limit share the node kOther, so their counts are
// summed and not lost. Paths are only displayed; no file is opened by them. Any thread may call.
class PathTree {
 public:
  using Node = std::uint32_t;
  static constexpr Node kOther = 0;
  static constexpr Node kRoot = 1;

  explicit PathTree(std::size_t limit);

  Node child(Node parent, std::string_view name);
  // "." for the root, "a/b" below it, "(other files)" for kOther.
  std::string path(Node node) const;
  std::size_t size() const;

 private:
  struct NamedNode {
    Node parent;
    std::string name;
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
  mutable std::mutex mutex_;
  std::vector<std::vector<NamedNode>> blocks_;  // nodes never move: keys are views into them
  std::size_t size_ = 0;
  std::unordered_map<ChildKey, Node, ChildKeyHash> nodes_;

  const NamedNode& entry(Node node) const;
  Node add(Node parent, std::string_view name);
};

}  // namespace zctrace::fuse
