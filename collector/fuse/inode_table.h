// Which inode the kernel means, and how often it was told of it.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "collector/descriptor.h"
#include "collector/fuse/path_tree.h"

namespace zctrace::fuse {

// What one owner of POSIX locks holds on an inode; see lock_operations.cpp.
using LockOwners = std::map<std::uint64_t, Descriptor>;

// One inode of the source that the kernel knows, pinned by an O_PATH descriptor, so that its
// (device, number) is not given to another file as long as this lives.
struct Inode {
  Inode(std::uint64_t id, Descriptor fd, const struct stat& status, PathTree::Node node)
      : id(id), fd(std::move(fd)), device(status.st_dev), number(status.st_ino),
        type(status.st_mode & S_IFMT), node(node) {}

  const std::uint64_t id;  // never used twice, so that a generation is not needed
  const Descriptor fd;
  const dev_t device;
  const ino_t number;
  const mode_t type;
  std::atomic<PathTree::Node> node;  // of the name it was last looked up by
  std::atomic<std::uint32_t> handles{0};

  std::mutex locks_mutex;
  LockOwners lock_owners;  // under locks_mutex
};

using InodePtr = std::shared_ptr<Inode>;

// A name through which the kernel knows an inode.
struct KnownName {
  std::uint64_t parent = 0;
  std::string name;
  std::uint64_t inode = 0;
};

// Invariant: an inode is in the table exactly as long as its lookup count is not 0. The root
// stays. Any thread; an InodePtr outlives the inode's place in the table.
class InodeTable {
 public:
  static constexpr std::uint64_t kRootId = 1;  // FUSE_ROOT_ID

  InodeTable(Descriptor root, const struct stat& status);

  // nullptr: the kernel was never told of it, or forgot it.
  InodePtr find(std::uint64_t id) const;
  // One lookup more of the inode behind `fd`; another descriptor of a known one is closed.
  InodePtr remember(Descriptor fd, const struct stat& status, PathTree::Node node,
                    std::uint64_t parent, const char* name);
  void forget(std::uint64_t id, std::uint64_t lookups);

  std::size_t size() const { return size_; }
  std::uint64_t lookups(std::uint64_t id) const;  // 0: not in the table

  // The name by which the longest-known file (never a directory) that nobody has open was first
  // found; each in turn, those that are still known after the last one again. nullopt: there is
  // none. For those who have too many descriptors open.
  std::optional<KnownName> oldest_name();

 private:
  struct Identity {
    dev_t device;
    ino_t number;
    bool operator==(const Identity&) const = default;
  };
  struct IdentityHash {
    std::size_t operator()(const Identity& identity) const {
      return identity.number ^ (identity.device * 0x9e3779b97f4a7c15ULL);
    }
  };
  struct Entry {
    InodePtr inode;
    std::uint64_t lookups;
  };

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> by_id_;
  std::unordered_map<Identity, std::uint64_t, IdentityHash> by_identity_;
  std::deque<KnownName> names_;  // oldest first; of inodes long forgotten, too
  std::uint64_t next_id_ = kRootId + 1;
  std::atomic<std::size_t> size_{1};  // of by_id_, for those who only watch it grow
};

}  // namespace zctrace::fuse
