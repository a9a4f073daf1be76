// SPDX-License-Identifier: MIT
// Two maps under one lock: finding an inode takes it shared; only lookups, renames and forgets
// write.
#include "collector/fuse/filesystem/inode_table.h"

#include <algorithm>

namespace zctrace::fuse {

InodeTable::InodeTable(Descriptor root, const InodeKey& key, DescriptorShares& shares)
    : shares_(shares) {
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

void InodeTable::to_the_end(const CachedInode& entry) {
  Turns& turns = order_.of(*entry.inode);
  turns.splice(turns.end(), turns, entry.turn);
  Turns& own = by_user_.at(entry.user).of(*entry.inode);
  own.splice(own.end(), own, entry.own_turn);
}

void InodeTable::remove_own_turn(const CachedInode& entry, Turns& removed) {
  const auto order = by_user_.find(entry.user);
  removed.splice(removed.end(), order->second.of(*entry.inode), entry.own_turn);
  if (order->second.files.empty() && order->second.directories.empty()) by_user_.erase(order);
}

void InodeTable::give_to(uid_t user, CachedInode& entry) {
  if (entry.user == user || entry.inode->id == kRootId) return;
  Order& order = by_user_[user];
  Turns turn;
  remove_own_turn(entry, turn);
  Turns& own = order.of(*entry.inode);
  own.splice(own.end(), turn);
  entry.user = user;
  entry.inode->holding.assign(shares_, user);
}

void InodeTable::opened(Inode& inode, uid_t user) {
  const std::unique_lock lock(mutex_);
  inode.handles++;
  inode.openers[user]++;
  const auto entry = by_id_.find(inode.id);
  if (entry != by_id_.end() && !inode.openers.contains(entry->second.user))
    give_to(user, entry->second);
}

void InodeTable::closed(Inode& inode, uid_t user) {
  const std::unique_lock lock(mutex_);
  inode.handles--;
  if (--inode.openers.at(user) == 0) inode.openers.erase(user);
  const auto entry = by_id_.find(inode.id);
  if (entry != by_id_.end() && !inode.openers.empty() &&
      !inode.openers.contains(entry->second.user))
    give_to(inode.openers.begin()->first, entry->second);
}

InodePtr InodeTable::remember(Descriptor fd, const InodeKey& key, const DirectoryEntry& found,
                              uid_t user) {
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
  inode->holding.assign(shares_, user);
  Turns turn{id};
  Turns own_turn{id};
  CachedInode& entry = by_id_[id];
  entry.inode = inode;
  entry.lookups = 1;
  entry.name = found.name;
  entry.user = user;
  entry.turn = turn.begin();
  entry.own_turn = own_turn.begin();
  by_key_.emplace(key, id);
  size_++;
  Turns& turns = order_.of(*inode);
  turns.splice(turns.end(), turn);
  Turns& own = by_user_[user].of(*inode);
  own.splice(own.end(), own_turn);
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
  order_.of(*entry->second.inode).erase(entry->second.turn);
  Turns own_turn;
  remove_own_turn(entry->second, own_turn);
  last = std::move(entry->second.inode);
  by_key_.erase(last->key);
  by_id_.erase(entry);
  size_--;
  forgotten_++;
}

std::uint64_t InodeTable::lookups(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  return entry == by_id_.end() ? 0 : entry->second.lookups;
}

void InodeTable::add_oldest(Turns& turns, std::size_t most, std::vector<CachedName>& names) {
  std::size_t skipped = 0;
  for (std::size_t left = turns.size(); left != 0 && names.size() < most && skipped < kMostSkipped;
       --left) {
    const CachedInode& entry = by_id_.at(turns.front());
    turns.splice(turns.end(), turns, turns.begin());
    if (entry.children == 0 && entry.inode->handles == 0) {
      names.push_back({entry.parent, entry.name});
    } else {
      skipped++;
    }
  }
}

std::vector<CachedName> InodeTable::oldest_names(std::size_t most) {
  std::vector<CachedName> names;
  const std::unique_lock lock(mutex_);
  add_oldest(order_.files, most, names);
  add_oldest(order_.directories, most, names);
  return names;
}

std::vector<CachedName> InodeTable::oldest_names_of(uid_t user, std::size_t most) {
  std::vector<CachedName> names;
  const std::unique_lock lock(mutex_);
  const auto order = by_user_.find(user);
  if (order == by_user_.end()) return names;
  add_oldest(order->second.files, most, names);
  add_oldest(order->second.directories, most, names);
  return names;
}

}  // namespace zctrace::fuse
