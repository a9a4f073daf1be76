// SPDX-License-Identifier: MIT
// The state that all operations share: the tree, the counts and the mount's options.
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "collector/fuse/counts/path_tree.h"
#include "collector/fuse/counts/request_counts.h"
#include "collector/fuse/filesystem/descriptor_shares.h"
#include "collector/fuse/filesystem/inode_table.h"
#include "collector/fuse/filesystem/lock_waiters.h"
#include "collector/fuse/filesystem/shortage.h"
#include "collector/fuse/filesystem/submounts.h"
#include "collector/fuse/receiving/expected_writes.h"
#include "collector/fuse/requesters/mappings.h"
#include "collector/fuse/requesters/read_cause.h"
#include "collector/fuse/requesters/requesters.h"
#include "collector/fuse/requesters/sender_calls.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// What the kernel may cache.
enum class Cache {
  none,       // neither attributes nor pages: each read or write call is a request
  automatic,  // attributes for a second, pages while a file stays open
  // attributes indefinitely, pages while a file stays open: nothing else may change the source, and
  // each open reads the file anew
  attributes,
  always,  // everything, indefinitely: nothing else may change the source
};

std::string_view cache_name(Cache cache);  // "none", "auto", "attributes", "always"

struct FileSystemOptions {
  unsigned threads = 1;  // serving threads
  // How many of them take their requests from the same queue. Without io_uring there is one queue.
  unsigned threads_of_a_queue = 1;
  bool splice = true;
  // Requests come by io_uring, if the kernel offers it.
  bool by_ring = false;
  // The kernel reads and writes open files itself, where it can.
  bool passthrough = false;
  Cache cache = Cache::automatic;
  // Users other than the daemon's may use the mount, so the kernel must check permissions, and
  // files that they create must belong to them. Needs root.
  bool for_everyone = false;
  // Each worker has its own fs_struct, and so a umask that it can set to the requester's.
  bool thread_umask = true;
  // Whether requesters are looked up in /proc. Without that, all requests are counted for
  // Requesters::kKernel, and the daemon makes no calls but those that serve a request.
  bool identify_requesters = true;
  // Tells why a read was sent, where that is known; may be null.
  std::shared_ptr<SenderCalls> sender_calls;
  // Whether requesters are remembered until they have ended: see Requesters::remember().
  bool remember_requesters = false;
  // The number of descriptors that inodes may use before the daemon tells the kernel to forget
  // some.
  std::size_t inode_descriptors = 10000;
  // The number that inodes and everything that is open may use together.
  std::size_t descriptors = 20000;
};

// openat(2). When no descriptor is left, waits up to a second for the kernel to forget inodes,
// as zctrace has asked it to. An empty Descriptor means failure, with the reason in errno.
Descriptor open_patiently(int directory, const char* name, int flags, mode_t mode = 0);
// An O_PATH descriptor of `name`. EXDEV means that another file system is mounted there, or that
// the kernel does not tell.
Descriptor open_in_mount_patiently(int directory, const char* name);

// The key of an open file, whose fstat(2) is `status`.
InodeKey inode_key_of(int fd, const struct stat& status);
// The same where the mount is known.
InodeKey inode_key_in(std::uint64_t mount, const struct stat& status) noexcept;
// The key of the file `name` below `directory`; nullopt if there is none. Does not ask its file
// system, which may be one that is not shown.
std::optional<InodeKey> find_key(int directory, const char* name) noexcept;

// Owns all state of a mounted tree. Nothing in the tree is opened by path: inodes are O_PATH
// descriptors, children are one plain name below such a descriptor, and contents are opened through
// /proc/self/fd. So no rename or symlink, however timed, can lead outside the source.
class FileSystem {
 public:
  // `root`: an O_PATH descriptor of the source. Throws Error.
  FileSystem(Descriptor root, const FileSystemOptions& options);

  static FileSystem& of(fuse_req_t request) {
    return *static_cast<FileSystem*>(fuse_req_userdata(request));
  }

  const FileSystemOptions options;
  PathTree paths;
  DescriptorShares shares;  // of the users
  Shortage shortage;        // of descriptors
  Submounts submounts;
  InodeTable inodes;
  RequestCounts counts;
  const Descriptor proc;
  Requesters requesters;
  TaskInspector tasks;
  Mappings mappings;
  LockWaiters lock_waiters;
  BackingFiles backing_files;
  ExpectedWrites writes;
  // Whether the kernel and the daemon have agreed on io_uring.
  std::atomic<bool> by_ring{false};
  // requests that were served but not counted, for lack of memory
  std::atomic<std::uint64_t> uncounted{0};
  std::atomic<std::uint64_t> proc_calls{0};  // system calls that identify requesters and causes

  // Seconds for which the kernel may cache attributes and names.
  double timeout_s() const;
  // Opens another description of the inode's file. An empty Descriptor means failure, with the
  // reason in errno.
  Descriptor reopen(const Inode& inode, int flags) const;
  // A descriptor of /proc/self/fd, for calls that have no form for O_PATH descriptors.
  int self_fd() const { return self_fd_.get(); }
  // Whether the mount shows a file that was found below `parent`: 0 or an errno. It does not show
  // what lies in the mount itself, whose requests would wait for each other, and some other file
  // systems; see Submounts. Does not ask the file system.
  int may_show(int fd, const Inode& parent);
  // Sets st_ino to the number that the mount shows: inodes of other devices below the source must
  // not collide with the source's own.
  void show(struct stat& status) const;
  // The inode as /proc/PID/maps names it; nullopt until the mount's device is known.
  std::optional<MappedFile> as_mapped(const Inode& inode) const;
  void set_mount_device(dev_t device);
  // What is left of the user's share. If that is little, idle inodes will be forgotten.
  DescriptorShares::Room room_for(uid_t user);
  // Whether the user of this request may have another descriptor. If not, may wait up to a second
  // for the kernel to forget inodes.
  bool has_room(const fuse_ctx& requester);
  // The same for a request during which the kernel locks its directory. Then the kernel cannot
  // forget inodes there, so this waits only for milliseconds; and the user may exceed its share a
  // little.
  bool has_room_in_directory(const fuse_ctx& requester);
  bool near_descriptor_limit() const { return inodes.size() > options.inode_descriptors; }
  // The names that the kernel should drop now, so that it forgets inodes: the oldest while the
  // table is too large, and those for which a user has little room. These are first the user's own,
  // and then those of users that hold more than it does.
  std::vector<CachedName> names_to_forget();

 private:
  bool wait_for_room(uid_t user, int tries);
  void add_names_for(uid_t user, std::vector<CachedName>& names);

  Descriptor self_fd_;
  dev_t device_;
  std::atomic<dev_t> mount_device_{0};
};

// The number of a descriptor, as a name below /proc/self/fd and as a whole path.
struct FdName {
  explicit FdName(int fd);
  const char* name() const { return path + kPrefix; }
  static constexpr std::size_t kPrefix = 14;  // "/proc/self/fd/"
  char path[32];
};

// Whether a name is a single component below a directory. The kernel sends only such names; all
// others are refused.
bool is_plain_name(const char* name) noexcept;

// Each file of operations adds its own functions.
void add_name_operations(fuse_lowlevel_ops& operations);
void add_attribute_operations(fuse_lowlevel_ops& operations);
void add_xattr_operations(fuse_lowlevel_ops& operations);
void add_file_operations(fuse_lowlevel_ops& operations);
void add_data_operations(fuse_lowlevel_ops& operations);
void add_directory_operations(fuse_lowlevel_ops& operations);
void add_lock_operations(fuse_lowlevel_ops& operations);

}  // namespace zctrace::fuse
