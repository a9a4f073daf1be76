// SPDX-License-Identifier: MIT
// Unmounts when zctrace dies without having unmounted itself.
#pragma once

#include <string>

#include "collector/fuse/mount/mount_point.h"
#include "collector/fuse/mount/parent_watcher.h"

namespace zctrace::fuse {

// A child, in a session of its own, that waits for the end of this process. libfuse's own
// auto_unmount (3.14) is not enough: fusermount3 looks only once, and considers a mount alive if
// its process has not closed the device yet (closing BPF programs takes a while) or if it belongs
// to another user. It also leaves the mount behind when this process dies before it has received
// the device.
//
// The child does not wait for the device to be closed, either. A thread can be in a system call
// that waits for a user of the mount, while that user waits for an answer; such a thread keeps the
// device open and cannot be killed. So the child aborts the connection first.
class CrashWatcher {
 public:
  // Forks: see ParentWatcher. `fusermount` is the program's path. Throws Error.
  CrashWatcher(const std::string& fusermount, const std::string& target);
  ~CrashWatcher();  // the child unmounts now if the mount still exists
  CrashWatcher(const CrashWatcher&) = delete;
  CrashWatcher& operator=(const CrashWatcher&) = delete;

  // Call it once the file system is mounted. Until then the child also waits for programs that this
  // process started (fusermount3), which may still be mounting when this process is dead.
  void mounted(const MountIdentity& mount) noexcept;

 private:
  std::string target_;
  MountIdentity mount_;
  ParentWatcher child_;
};

}  // namespace zctrace::fuse
