// SPDX-License-Identifier: MIT
// Paths for the report: who is called what, seen from the root of the mounted tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace zctrace::fuse {

// A name below a parent is a node, for ever: a report outlives files. Bounded: what comes
// after the limit is the one node kOther, so that its counts are added up and not lost.
// For showing only; nothing is ever opened by such a path. Any thread.
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
  struct Entry {
    Node parent;
    std::string name;
  };
  struct Key {
    Node parent;
    std::string_view name;  // of the entry that the key leads to, or of a caller's
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()(key.name) ^ (key.parent * 0x9e3779b97f4a7c15ULL);
    }
  };

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::vector<std::vector<Entry>> blocks_;  // entries never move: keys look into them
  std::size_t size_ = 0;
  std::unordered_map<Key, Node, KeyHash> nodes_;

  const Entry& entry(Node node) const;
  Node add(Node parent, std::string_view name);
};

}  // namespace zctrace::fuse
