// SPDX-License-Identifier: MIT
// Two maps under one lock: reading is shared, and only lookups, renames and forgets write.
#include "collector/fuse/filesystem/inode_table.h"

#include <algorithm>

namespace zctrace::fuse {

InodeTable::InodeTable(Descriptor root, const Identity& identity) {
  by_identity_.emplace(identity, kRootId);
  Entry entry;
  entry.inode = std::make_shared<Inode>(kRootId, std::move(root), identity, PathTree::kRoot);
  entry.lookups = 1;
  by_id_.emplace(kRootId, std::move(entry));
}

InodePtr InodeTable::find(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  return entry == by_id_.end() ? nullptr : entry->second.inode;
}

void InodeTable::leave_parent(const Entry& entry) {
  if (const auto parent = by_id_.find(entry.parent); parent != by_id_.end())
    parent->second.children--;
}

void InodeTable::place(Entry& entry, const Place& place) {
  entry.inode->node = place.node;
  if (entry.inode->id == kRootId) return;
  entry.name = place.name;
  leave_parent(entry);
  entry.parent = place.parent;
  to_the_end(entry);
  const auto parent = by_id_.find(place.parent);
  if (parent == by_id_.end()) return;
  parent->second.children++;
  if (place.parent != kRootId) to_the_end(parent->second);
}

InodeTable::Turns& InodeTable::turns_of(const Entry& entry) {
  return entry.inode->identity.mount != 0 ? directories_ : files_;
}

void InodeTable::to_the_end(const Entry& entry) {
  Turns& turns = turns_of(entry);
  turns.splice(turns.end(), turns, entry.turn);
}

InodePtr InodeTable::remember(Descriptor fd, const Identity& identity, const Place& found) {
  // Closed after the lock is released: the last close of an unlinked file can take long.
  Descriptor surplus;
  const std::unique_lock lock(mutex_);
  if (const auto known = by_identity_.find(identity); known != by_identity_.end()) {
    Entry& entry = by_id_.at(known->second);
    entry.lookups++;
    place(entry, found);
    surplus = std::move(fd);
    return entry.inode;
  }
  const std::uint64_t id = next_id_++;
  auto inode = std::make_shared<Inode>(id, std::move(fd), identity, found.node);
  Turns turn{id};
  Entry& entry = by_id_[id];
  entry.inode = inode;
  entry.lookups = 1;
  entry.name = found.name;
  entry.turn = turn.begin();
  by_identity_.emplace(identity, id);
  size_++;
  Turns& turns = turns_of(entry);
  turns.splice(turns.end(), turn);
  place(entry, found);
  return inode;
}

void InodeTable::rename(const Identity& identity, const Place& to) {
  const std::unique_lock lock(mutex_);
  const auto known = by_identity_.find(identity);
  if (known != by_identity_.end()) place(by_id_.at(known->second), to);
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
  by_identity_.erase(last->identity);
  by_id_.erase(entry);
  size_--;
}

std::uint64_t InodeTable::lookups(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  return entry == by_id_.end() ? 0 : entry->second.lookups;
}

void InodeTable::add_oldest(Turns& turns, std::size_t most, std::vector<KnownName>& names) {
  for (std::size_t left = turns.size(); left != 0 && names.size() < most; --left) {
    const Entry& entry = by_id_.at(turns.front());
    to_the_end(entry);
    if (entry.children == 0 && entry.inode->handles == 0)
      names.push_back({entry.parent, entry.name});
  }
}

std::vector<KnownName> InodeTable::oldest_names(std::size_t most) {
  std::vector<KnownName> names;
  const std::unique_lock lock(mutex_);
  add_oldest(files_, most, names);
  add_oldest(directories_, most, names);
  return names;
}

}  // namespace zctrace::fuse
