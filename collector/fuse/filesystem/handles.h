// SPDX-License-Identifier: MIT
// Handles, which the kernel holds between open and release. It may release a handle as soon as it
// has the answer to its last request, so no code touches a handle after answering.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "collector/fuse/counts/request_counts.h"
#include "collector/fuse/filesystem/descriptor_shares.h"
#include "collector/fuse/receiving/expected_writes.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

struct Inode;

// Owned by the kernel's file handle: created by open or create, deleted by release.
struct FileHandle {
  Descriptor fd;
  DescriptorHolding holding;
  WriteAccess write_access;
  bool append;          // splice refuses O_APPEND, and only the source knows its current end
  bool direct = false;  // direct I/O, so the kernel marks reads that are calls
  ProcessId opener;
  uid_t user;  // of the opener
  // The causes of earlier read requests through this handle, where they could be found.
  std::atomic<bool> read_by_call{false};
  std::atomic<bool> read_by_mapping{false};
  // The owners that took a POSIX or open file description lock through this handle. Protected by
  // the inode's locks_mutex.
  std::set<std::uint64_t> lock_owners;
  // the owner whose locks are on this handle's own description; protected likewise
  std::uint64_t lent_to = 0;

  FileHandle(Descriptor file, DescriptorShares& shares, int flags, ProcessId process, uid_t user)
      : fd(std::move(file)),
        holding(shares, user),
        append((flags & O_APPEND) != 0),
        opener(process),
        user(user) {}
};

// Created by opendir, deleted by releasedir. Two threads may read one directory handle.
struct DirectoryHandle {
  struct CloseDirectory {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  std::mutex mutex;
  std::unique_ptr<DIR, CloseDirectory> stream;
  DescriptorHolding holding;
  off_t position = 0;  // the stream's position
  ProcessId opener = 0;
  uid_t user = 0;  // of the opener
};

inline FileHandle& file_handle(const fuse_file_info& info) {
  return *reinterpret_cast<FileHandle*>(info.fh);
}

inline DirectoryHandle& directory_handle(const fuse_file_info& info) {
  return *reinterpret_cast<DirectoryHandle*>(info.fh);
}

}  // namespace zctrace::fuse
