// SPDX-License-Identifier: MIT
// Unmounts when zctrace dies without having unmounted itself.
#pragma once

#include <string>

#include "collector/fuse/mount/mount_point.h"
#include "collector/fuse/mount/parent_watcher.h"
#include "collector/os/pipe.h"

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
  // What the child needs to know about the mount. It keeps copies of the descriptors.
  struct WatchedMount {
    std::string fusermount;  // the program's path
    int directory;           // what is mounted over
    // For a mount that exists before it is attached; otherwise see mounted().
    MountIdentity mount{};
    int abort = -1;  // aborts its connection
  };

  // Forks: see ParentWatcher. Returns when the child has closed all other descriptors: it would
  // keep a mount in use. Throws Error.
  explicit CrashWatcher(const WatchedMount& watched);
  ~CrashWatcher();  // the child unmounts now if the mount still exists
  CrashWatcher(const CrashWatcher&) = delete;
  CrashWatcher& operator=(const CrashWatcher&) = delete;

  // Call it once fusermount3 has mounted. Until then the child also waits for programs that this
  // process started (fusermount3), which may still be mounting when this process is dead.
  void mounted(const MountIdentity& mount) noexcept;

 private:
  int directory_;
  MountIdentity mount_;
  Pipe ready_;
  ParentWatcher child_;
};

}  // namespace zctrace::fuse
