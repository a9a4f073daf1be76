// SPDX-License-Identifier: MIT
// What all operations share: the tree, the counts, and how it is mounted.
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "collector/fuse/counts/path_tree.h"
#include "collector/fuse/counts/request_counts.h"
#include "collector/fuse/filesystem/inode_table.h"
#include "collector/fuse/filesystem/lock_waiters.h"
#include "collector/fuse/requesters/mappings.h"
#include "collector/fuse/requesters/read_cause.h"
#include "collector/fuse/requesters/requesters.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// How much the kernel may keep of what it was told.
enum class Cache {
  none,        // no attribute, no page: every read and write call is a request
  automatic,   // attributes for a second, pages while a file stays open
  attributes,  // those for as long as it likes, pages while a file stays open: nothing else may
               // change the source, and who opens a file reads it anew
  always,      // everything, for as long as it likes: nothing else may change the source
};

std::string_view cache_name(Cache cache);  // "none", "auto", "attributes", "always"

struct FileSystemOptions {
  unsigned threads = 1;  // that serve
  bool splice = true;
  Cache cache = Cache::automatic;
  // Others than the daemon's user may come, so the kernel must check permissions, and what
  // they create must become theirs. Needs root.
  bool for_everyone = false;
  // Workers have an fs_struct of their own, and so a umask that can be the requester's.
  bool thread_umask = true;
  // Who asks is looked up in /proc. Without that, all is charged to Requesters::kKernel, and the
  // daemon makes no call but those that serve a request.
  bool identify_requesters = true;
  // Who has asked is remembered until it is said to have ended: see Requesters::remember().
  bool remember_requesters = false;
  // Descriptors that inodes may take before the kernel is asked to forget some.
  std::size_t inode_descriptors = 10000;
};

// openat(2). Where there is no descriptor left, waits up to a second for the kernel, which is being
// asked to forget inodes. Empty: errno says why.
Descriptor open_patiently(int directory, const char* name, int flags, mode_t mode = 0);

// Of what is `name` below the directory `fd`, or of `fd` itself when `name` is "".
Identity identity_of(int fd, const char* name, const struct stat& status);

// Owns all state of a mounted tree. Nothing in it is opened by path: inodes by O_PATH
// descriptors, children by one plain name below one, contents through /proc/self/fd. So no
// rename or symlink, however timed, leads outside the source.
class FileSystem {
 public:
  // `root`: an O_PATH descriptor of the source. Throws Error.
  FileSystem(Descriptor root, const FileSystemOptions& options);

  static FileSystem& of(fuse_req_t request) {
    return *static_cast<FileSystem*>(fuse_req_userdata(request));
  }

  const FileSystemOptions options;
  PathTree paths;
  InodeTable inodes;
  Accounts accounts;
  const Descriptor proc;
  Requesters requesters;
  TaskLooker tasks;
  Mappings mappings;
  LockWaiters lock_waiters;
  std::atomic<std::uint64_t> uncounted{0};   // requests served, but not counted: no memory
  std::atomic<std::uint64_t> proc_calls{0};  // system calls to know who asks, and why

  // Seconds that the kernel may trust attributes and names.
  double timeout_s() const;
  // Another description of the inode's file. Negative errno on failure.
  Descriptor reopen(const Inode& inode, int flags) const;
  // "N" below /proc/self/fd, for calls that have no form for O_PATH descriptors.
  int self_fd() const { return self_fd_.get(); }
  // st_ino as shown: inodes of other devices below the source must not collide with its own.
  void show(struct stat& status) const;
  // The inode as /proc/PID/maps names it, once the mount's device is known.
  std::optional<MappedFile> as_mapped(const Inode& inode) const;
  void set_mount_device(dev_t device) { mount_device_ = device; }
  bool near_descriptor_limit() const { return inodes.size() > options.inode_descriptors; }

 private:
  Descriptor self_fd_;
  dev_t device_;
  std::atomic<dev_t> mount_device_{0};
};

// The number of a descriptor as a path component below /proc/self/fd, and as a whole path.
struct FdName {
  explicit FdName(int fd);
  const char* name() const { return path + kPrefix; }
  static constexpr std::size_t kPrefix = 14;  // "/proc/self/fd/"
  char path[32];
};

// What the kernel sends is one component below a directory; nothing else is passed on.
bool is_plain_name(const char* name) noexcept;

// Each file of operations adds its own.
void add_name_operations(fuse_lowlevel_ops& operations);
void add_attribute_operations(fuse_lowlevel_ops& operations);
void add_xattr_operations(fuse_lowlevel_ops& operations);
void add_file_operations(fuse_lowlevel_ops& operations);
void add_data_operations(fuse_lowlevel_ops& operations);
void add_directory_operations(fuse_lowlevel_ops& operations);
void add_lock_operations(fuse_lowlevel_ops& operations);

}  // namespace zctrace::fuse
