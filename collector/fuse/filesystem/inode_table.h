// SPDX-License-Identifier: MIT
// Which inode the kernel means, and how often it was told of it.
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
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// What one owner of POSIX locks holds on an inode; see lock_operations.cpp.
using LockOwners = std::map<std::uint64_t, Descriptor>;

// Which file of the source it is. A directory that can be reached through two mounts is two: the
// kernel allows a directory one name only.
struct Identity {
  dev_t device = 0;
  ino_t number = 0;
  std::uint64_t mount = 0;  // STATX_MNT_ID of a directory, 0 of all others
  bool operator==(const Identity&) const = default;
};

// A name through which a file was found.
struct Place {
  std::uint64_t parent;  // id
  std::string_view name;
  PathTree::Node node;
};

// One inode of the source that the kernel knows, pinned by an O_PATH descriptor, so that its
// (device, number) is not given to another file as long as this lives.
struct Inode {
  Inode(std::uint64_t id, Descriptor fd, const Identity& identity, PathTree::Node node)
      : id(id), fd(std::move(fd)), identity(identity), node(node) {}

  const std::uint64_t id;  // never used twice, so that a generation is not needed
  const Descriptor fd;
  const Identity identity;
  std::atomic<PathTree::Node> node;  // of the name it was last looked up by, or renamed to
  std::atomic<std::uint32_t> handles{0};

  std::mutex locks_mutex;
  LockOwners lock_owners;  // under locks_mutex
};

using InodePtr = std::shared_ptr<Inode>;

// A name through which the kernel knows an inode.
struct KnownName {
  std::uint64_t parent = 0;
  std::string name;
};

// Invariant: an inode is in the table exactly as long as its lookup count is not 0. The root
// stays. Any thread; an InodePtr outlives the inode's place in the table.
class InodeTable {
 public:
  static constexpr std::uint64_t kRootId = 1;  // FUSE_ROOT_ID

  InodeTable(Descriptor root, const Identity& identity);

  // nullptr: the kernel was never told of it, or forgot it.
  InodePtr find(std::uint64_t id) const;
  // One lookup more of the inode behind `fd`; another descriptor of a known one is closed.
  InodePtr remember(Descriptor fd, const Identity& identity, const Place& place);
  // It is called that from now on. Nothing when the kernel does not know it.
  void rename(const Identity& identity, const Place& place);
  void forget(std::uint64_t id, std::uint64_t lookups);

  std::size_t size() const { return size_; }
  std::uint64_t lookups(std::uint64_t id) const;  // 0: not in the table

  // The last known names of what was looked up the longest ago; each in turn, and none twice. First
  // files, then directories: the kernel drops a name whether or not somebody is in the directory,
  // or has mounted something on it. Not of what somebody has open, nor of a directory with known
  // files below it, which the kernel would forget as well. For those who have too many descriptors
  // open.
  std::vector<KnownName> oldest_names(std::size_t most);

 private:
  struct IdentityHash {
    std::size_t operator()(const Identity& identity) const {
      return identity.number ^ ((identity.device + identity.mount) * 0x9e3779b97f4a7c15ULL);
    }
  };
  using Turns = std::list<std::uint64_t>;
  struct Entry {
    InodePtr inode;
    std::uint64_t lookups = 0;
    std::uint64_t parent = 0;
    std::string name;
    std::size_t children = 0;  // entries whose parent it is
    Turns::iterator turn;
  };

  void place(Entry& entry, const Place& place);
  void leave_parent(const Entry& entry);
  Turns& turns_of(const Entry& entry);
  void to_the_end(const Entry& entry);
  void add_oldest(Turns& turns, std::size_t most, std::vector<KnownName>& names);

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> by_id_;
  std::unordered_map<Identity, std::uint64_t, IdentityHash> by_identity_;
  // Every id but the root's; who was looked up, or below whom, goes to the end.
  Turns files_, directories_;
  std::uint64_t next_id_ = kRootId + 1;
  std::atomic<std::size_t> size_{1};  // of by_id_, for those who only watch it grow
};

}  // namespace zctrace::fuse
