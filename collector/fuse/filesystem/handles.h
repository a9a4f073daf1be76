// SPDX-License-Identifier: MIT
// What the kernel holds between open and release. It may release as soon as it has the answer
// to its last request, so nothing touches a handle after answering.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "collector/fuse/counts/request_counts.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

struct Inode;

// Owned by the kernel's file handle: made by open or create, deleted by release.
struct FileHandle {
  Descriptor fd;
  bool append;          // splice refuses O_APPEND, and only the source knows where its end is
  bool direct = false;  // past the page cache, so that the kernel says which reads are calls
  ProcessId opener;
  // What the read requests through this handle were whose cause could be told.
  std::atomic<bool> read_by_call{false};
  std::atomic<bool> read_by_mapping{false};
  // Who took a POSIX or open file description lock through it; under the inode's locks_mutex.
  std::set<std::uint64_t> lock_owners;
  std::uint64_t lent_to = 0;  // whose locks are on its own description; the same

  FileHandle(Descriptor file, int flags, ProcessId who)
      : fd(std::move(file)), append((flags & O_APPEND) != 0), opener(who) {}
};

// Made by opendir, deleted by releasedir. Two threads may read one directory handle.
struct DirectoryHandle {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  std::mutex mutex;
  std::unique_ptr<DIR, Close> stream;
  off_t position = 0;  // where the stream is
  ProcessId opener = 0;
};

inline FileHandle& file_handle(const fuse_file_info& info) {
  return *reinterpret_cast<FileHandle*>(info.fh);
}

inline DirectoryHandle& directory_handle(const fuse_file_info& info) {
  return *reinterpret_cast<DirectoryHandle*>(info.fh);
}

}  // namespace zctrace::fuse
