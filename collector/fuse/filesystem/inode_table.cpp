// SPDX-License-Identifier: MIT
// Two maps under one lock: finding an inode takes it shared; only lookups, renames and forgets
// write.
#include "collector/fuse/filesystem/inode_table.h"

#include <algorithm>

namespace zctrace::fuse {

InodeTable::InodeTable(Descriptor root, const InodeKey& key) {
  by_key_.emplace(key, kRootId);
  CachedInode entry;
  entry.inode = std::make_shared<Inode>(kRootId, std::move(root), key, PathTree::kRoot);
  entry.lookups = 1;
  by_id_.emplace(kRootId, std::move(entry));
}

InodePtr InodeTable::find(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  return entry == by_id_.end() ? nullptr : entry->second.inode;
}

void InodeTable::leave_parent(const CachedInode& entry) {
  if (const auto parent = by_id_.find(entry.parent); parent != by_id_.end())
    parent->second.children--;
}

void InodeTable::set_name(CachedInode& entry, const DirectoryEntry& name) {
  entry.inode->node = name.node;
  if (entry.inode->id == kRootId) return;
  entry.name = name.name;
  leave_parent(entry);
  entry.parent = name.parent;
  to_the_end(entry);
  const auto parent = by_id_.find(name.parent);
  if (parent == by_id_.end()) return;
  parent->second.children++;
  if (name.parent != kRootId) to_the_end(parent->second);
}

InodeTable::Turns& InodeTable::turns_of(const CachedInode& entry) {
  return entry.inode->key.mount != 0 ? directories_ : files_;
}

void InodeTable::to_the_end(const CachedInode& entry) {
  Turns& turns = turns_of(entry);
  turns.splice(turns.end(), turns, entry.turn);
}

InodePtr InodeTable::remember(Descriptor fd, const InodeKey& key, const DirectoryEntry& found) {
  // Closed after the lock is released: the last close of an unlinked file can take long.
  Descriptor surplus;
  const std::unique_lock lock(mutex_);
  if (const auto cached = by_key_.find(key); cached != by_key_.end()) {
    CachedInode& entry = by_id_.at(cached->second);
    entry.lookups++;
    set_name(entry, found);
    surplus = std::move(fd);
    return entry.inode;
  }
  const std::uint64_t id = next_id_++;
  auto inode = std::make_shared<Inode>(id, std::move(fd), key, found.node);
  Turns turn{id};
  CachedInode& entry = by_id_[id];
  entry.inode = inode;
  entry.lookups = 1;
  entry.name = found.name;
  entry.turn = turn.begin();
  by_key_.emplace(key, id);
  size_++;
  Turns& turns = turns_of(entry);
  turns.splice(turns.end(), turn);
  set_name(entry, found);
  return inode;
}

void InodeTable::rename(const InodeKey& key, const DirectoryEntry& to) {
  const std::unique_lock lock(mutex_);
  const auto cached = by_key_.find(key);
  if (cached != by_key_.end()) set_name(by_id_.at(cached->second), to);
}

void InodeTable::forget(std::uint64_t id, std::uint64_t lookups) {
  InodePtr last;  // its descriptor is closed after the lock is released
  const std::unique_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  if (id == kRootId || entry == by_id_.end()) return;
  entry->second.lookups -= std::min(entry->second.lookups, lookups);
  if (entry->second.lookups != 0) return;
  leave_parent(entry->second);
  turns_of(entry->second).erase(entry->second.turn);
  last = std::move(entry->second.inode);
  by_key_.erase(last->key);
  by_id_.erase(entry);
  size_--;
}

std::uint64_t InodeTable::lookups(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  return entry == by_id_.end() ? 0 : entry->second.lookups;
}

void InodeTable::add_oldest(Turns& turns, std::size_t most, std::vector<CachedName>& names) {
  for (std::size_t left = turns.size(); left != 0 && names.size() < most; --left) {
    const CachedInode& entry = by_id_.at(turns.front());
    to_the_end(entry);
    if (entry.children == 0 && entry.inode->handles == 0)
      names.push_back({entry.parent, entry.name});
  }
}

std::vector<CachedName> InodeTable::oldest_names(std::size_t most) {
  std::vector<CachedName> names;
  const std::unique_lock lock(mutex_);
  add_oldest(files_, most, names);
  add_oldest(directories_, most, names);
  return names;
}

}  // namespace zctrace::fuse
