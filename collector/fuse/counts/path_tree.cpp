// SPDX-License-Identifier: MIT
// Nodes live in blocks of fixed size, so that string views into them stay valid.
#include "collector/fuse/counts/path_tree.h"

#include <algorithm>
#include <string_view>

namespace zctrace::fuse {
namespace {

constexpr std::size_t kBlock = 1024;
constexpr std::string_view kCut = "…/";

}  // namespace

PathTree::PathTree(std::size_t limit, std::size_t bytes) : limit_(limit), bytes_limit_(bytes) {
  add(kOther, "(other files)");
  add(kOther, ".");
}

const PathTree::NamedNode& PathTree::entry(Node node) const {
  return blocks_[node / kBlock][node % kBlock];
}

PathTree::Node PathTree::add(Node parent, std::string_view name) {
  if (size_ % kBlock == 0) blocks_.emplace_back().reserve(kBlock);
  // The root's own name is not part of a path.
  const std::size_t above = parent <= kRoot ? 0 : entry(parent).path_bytes + 1;
  const std::size_t path_bytes = std::min(above + name.size(), kLongestPath);
  blocks_.back().push_back({parent, std::string(name), path_bytes});
  bytes_ += path_bytes;
  return static_cast<Node>(size_++);
}

PathTree::Node PathTree::child(Node parent, std::string_view name) {
  if (parent == kOther) return kOther;
  const std::lock_guard lock(mutex_);
  const auto existing = nodes_.find({parent, name});
  if (existing != nodes_.end()) return existing->second;
  if (size_ >= limit_ || bytes_ >= bytes_limit_) return kOther;
  const Node node = add(parent, name);
  nodes_.emplace(ChildKey{parent, entry(node).name}, node);
  return node;
}

std::string PathTree::path(Node node) const {
  const std::lock_guard lock(mutex_);
  if (node <= kRoot) return entry(node).name;
  // From the last name to the first, so that the cost does not depend on how deep the node lies.
  std::vector<std::string_view> names;
  std::size_t bytes = 0;
  for (; node > kRoot; node = entry(node).parent) {
    const std::string& name = entry(node).name;
    if (bytes + name.size() + kCut.size() > kLongestPath) break;
    bytes += name.size() + 1;
    names.push_back(name);
  }
  std::string path(node > kRoot ? kCut : std::string_view());
  path.reserve(path.size() + bytes);
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (name != names.rbegin()) path += '/';
    path += *name;
  }
  return path;
}

std::size_t PathTree::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace zctrace::fuse
