// SPDX-License-Identifier: MIT
// The inodes that the kernel refers to, and how many lookups it holds on each.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collector/fuse/counts/path_tree.h"
#include "collector/fuse/filesystem/backing_files.h"
#include "collector/fuse/filesystem/descriptor_shares.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// The descriptors that hold the POSIX locks of an inode, by lock owner; see lock_operations.cpp.
struct LockDescription {
  Descriptor fd;
  DescriptorHolding holding;
};
using LockOwners = std::map<std::uint64_t, LockDescription>;

// Identifies a file of the source. A directory that can be reached through two mounts has two keys,
// because the kernel allows a directory only one name.
struct InodeKey {
  dev_t device = 0;
  ino_t number = 0;
  std::uint64_t mount = 0;  // STATX_MNT_ID of a directory, 0 for all other files
  bool operator==(const InodeKey&) const = default;
};

// The name by which a file was found.
struct DirectoryEntry {
  std::uint64_t parent;  // id
  std::string_view name;
  PathTree::Node node;
};

// An inode of the source that the kernel has looked up. The O_PATH descriptor pins it, so that its
// (device, number) is not given to another file while this lives.
struct Inode {
  Inode(std::uint64_t id, Descriptor fd, const InodeKey& key, PathTree::Node node)
      : id(id), fd(std::move(fd)), key(key), node(node) {}

  const std::uint64_t id;  // never reused, so no generation is needed
  const Descriptor fd;
  // Counts for a user that has the file open, else for the last one that had, else for the one that
  // looked it up first. Not for later ones: another user may hold it by a descriptor of O_PATH or
  // as its working directory, of which no request tells, and then they could not give it back.
  DescriptorHolding holding;
  const InodeKey key;
  std::atomic<PathTree::Node> node;  // the name that it was last looked up by or renamed to
  std::atomic<std::uint32_t> handles{0};
  std::map<uid_t, std::uint32_t> openers;  // handles of each user; under the table's lock

  Backing backing;

  std::mutex locks_mutex;
  LockOwners lock_owners;  // under locks_mutex
};

using InodePtr = std::shared_ptr<Inode>;

// A name by which the kernel has cached an inode.
struct CachedName {
  std::uint64_t parent = 0;
  std::string name;
};

// Invariant: an inode is in the table exactly while its lookup count is not 0. The root always
// stays. Any thread may call. An InodePtr keeps an inode alive after it has left the table.
class InodeTable {
 public:
  static constexpr std::uint64_t kRootId = 1;  // FUSE_ROOT_ID

  // `shares` counts the descriptors of the inodes, and outlives this and every InodePtr.
  InodeTable(Descriptor root, const InodeKey& key, DescriptorShares& shares);

  // nullptr: the kernel has not looked it up, or has forgotten it.
  InodePtr find(std::uint64_t id) const;
  // Adds one lookup of the inode behind `fd`, by `user`. If the table has the inode already, `fd`
  // is closed.
  InodePtr remember(Descriptor fd, const InodeKey& key, const DirectoryEntry& name, uid_t user);
  // Sets the inode's name. Does nothing if the inode is not in the table.
  void rename(const InodeKey& key, const DirectoryEntry& name);
  void forget(std::uint64_t id, std::uint64_t lookups);
  // A handle of the inode begins and ends.
  void opened(Inode& inode, uid_t user);
  void closed(Inode& inode, uid_t user);

  std::size_t size() const { return size_; }
  std::size_t forgotten() const { return forgotten_; }  // that were in the table
  std::uint64_t lookups(std::uint64_t id) const;        // 0: not in the table

  // The last known names of the inodes that were looked up the longest ago, for a daemon that has
  // too many descriptors open. Each call continues after the previous one and returns no name
  // twice. Files come before directories: the kernel drops a directory's name even if a process has
  // it as its working directory or has mounted something on it. Open files are left out, and so are
  // directories with inodes below them in the table, which the kernel would forget as well. A call
  // skips at most kMostSkipped of each, so that other threads do not wait long for the table.
  std::vector<CachedName> oldest_names(std::size_t most);
  // The same of the inodes that count for `user`.
  std::vector<CachedName> oldest_names_of(uid_t user, std::size_t most);
  static constexpr std::size_t kMostSkipped = 256;

 private:
  struct InodeKeyHash {
    std::size_t operator()(const InodeKey& key) const {
      return key.number ^ ((key.device + key.mount) * 0x9e3779b97f4a7c15ULL);
    }
  };
  using Turns = std::list<std::uint64_t>;
  // Inodes in the order of their last lookup, which also moves the parent to the end.
  struct Order {
    Turns files, directories;
    Turns& of(const Inode& inode) { return inode.key.mount != 0 ? directories : files; }
  };
  struct CachedInode {
    InodePtr inode;
    std::uint64_t lookups = 0;
    std::uint64_t parent = 0;
    std::string name;
    std::size_t children = 0;  // inodes whose parent this is
    uid_t user = 0;            // that it counts for
    Turns::iterator turn;      // in order_
    Turns::iterator own_turn;  // in the order of the user
  };

  void set_name(CachedInode& entry, const DirectoryEntry& name);
  void leave_parent(const CachedInode& entry);
  void to_the_end(const CachedInode& entry);
  void give_to(uid_t user, CachedInode& entry);
  void remove_own_turn(const CachedInode& entry, Turns& removed);
  void add_oldest(Turns& turns, std::size_t most, std::vector<CachedName>& names);

  DescriptorShares& shares_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, CachedInode> by_id_;
  std::unordered_map<InodeKey, std::uint64_t, InodeKeyHash> by_key_;
  // Every ID except the root's.
  Order order_;
  std::unordered_map<uid_t, Order> by_user_;
  std::uint64_t next_id_ = kRootId + 1;
  std::atomic<std::size_t> size_{1};  // the size of by_id_, readable without the lock
  std::atomic<std::size_t> forgotten_{0};
};

}  // namespace zctrace::fuse
