// SPDX-License-Identifier: MIT
// Nodes live in blocks of fixed size, so that string views into them stay valid.
#include "collector/fuse/counts/path_tree.h"

namespace zctrace::fuse {
namespace {

constexpr std::size_t kBlock = 1024;

}  // namespace

PathTree::PathTree(std::size_t limit) : limit_(limit) {
  add(kOther, "(other files)");
  add(kOther, ".");
}

const PathTree::NamedNode& PathTree::entry(Node node) const {
  return blocks_[node / kBlock][node % kBlock];
}

PathTree::Node PathTree::add(Node parent, std::string_view name) {
  if (size_ % kBlock == 0) blocks_.emplace_back().reserve(kBlock);
  blocks_.back().push_back({parent, std::string(name)});
  return static_cast<Node>(size_++);
}

PathTree::Node PathTree::child(Node parent, std::string_view name) {
  if (parent == kOther) return kOther;
  const std::lock_guard lock(mutex_);
  const auto existing = nodes_.find({parent, name});
  if (existing != nodes_.end()) return existing->second;
  if (size_ >= limit_) return kOther;
  const Node node = add(parent, name);
  nodes_.emplace(ChildKey{parent, entry(node).name}, node);
  return node;
}

std::string PathTree::path(Node node) const {
  const std::lock_guard lock(mutex_);
  if (node <= kRoot) return entry(node).name;
  std::string path = entry(node).name;
  for (node = entry(node).parent; node > kRoot; node = entry(node).parent)
    path.insert(0, entry(node).name + "/");
  return path;
}

std::size_t PathTree::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace zctrace::fuse
