// Two maps under one lock: reading is shared, and only lookups and forgets write.
#include "collector/fuse/inode_table.h"

#include <algorithm>

namespace zctrace::fuse {

InodeTable::InodeTable(Descriptor root, const struct stat& status) {
  auto inode = std::make_shared<Inode>(kRootId, std::move(root), status, PathTree::kRoot);
  by_identity_.emplace(Identity{inode->device, inode->number}, kRootId);
  by_id_.emplace(kRootId, Entry{std::move(inode), 1});
}

InodePtr InodeTable::find(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  return entry == by_id_.end() ? nullptr : entry->second.inode;
}

InodePtr InodeTable::remember(Descriptor fd, const struct stat& status, PathTree::Node node,
                              std::uint64_t parent, const char* name) {
  // Closed after the lock is released: the last close of an unlinked file can take long.
  Descriptor surplus;
  const std::unique_lock lock(mutex_);
  const Identity identity{status.st_dev, status.st_ino};
  const auto known = by_identity_.find(identity);
  if (known != by_identity_.end()) {
    Entry& entry = by_id_.at(known->second);
    entry.lookups++;
    entry.inode->node = node;
    surplus = std::move(fd);
    return entry.inode;
  }
  const std::uint64_t id = next_id_++;
  auto inode = std::make_shared<Inode>(id, std::move(fd), status, node);
  by_id_.emplace(id, Entry{inode, 1});
  by_identity_.emplace(identity, id);
  size_++;
  if (!S_ISDIR(status.st_mode)) {
    names_.push_back({parent, name, id});
    // Names of forgotten inodes are dropped when they are most of the list.
    if (names_.size() > 1024 && names_.size() > 4 * by_id_.size())
      std::erase_if(names_, [this](const KnownName& n) { return !by_id_.contains(n.inode); });
  }
  return inode;
}

void InodeTable::forget(std::uint64_t id, std::uint64_t lookups) {
  InodePtr last;  // its descriptor is closed after the lock is released
  const std::unique_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  if (id == kRootId || entry == by_id_.end()) return;
  entry->second.lookups -= std::min(entry->second.lookups, lookups);
  if (entry->second.lookups != 0) return;
  last = std::move(entry->second.inode);
  by_identity_.erase(Identity{last->device, last->number});
  by_id_.erase(entry);
  size_--;
}

std::uint64_t InodeTable::lookups(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto entry = by_id_.find(id);
  return entry == by_id_.end() ? 0 : entry->second.lookups;
}

std::optional<KnownName> InodeTable::oldest_name() {
  const std::unique_lock lock(mutex_);
  for (std::size_t left = names_.size(); left != 0; --left) {
    KnownName name = std::move(names_.front());
    names_.pop_front();
    const auto entry = by_id_.find(name.inode);
    if (entry == by_id_.end()) continue;
    names_.push_back(name);
    if (entry->second.inode->handles == 0) return name;
  }
  return std::nullopt;
}

}  // namespace zctrace::fuse
