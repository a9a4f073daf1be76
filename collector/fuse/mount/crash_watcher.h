// SPDX-License-Identifier: MIT
// Unmounts when zctrace dies without having done so itself.
#pragma once

#include <string>

#include "collector/fuse/mount/mount_point.h"
#include "collector/fuse/mount/parent_watcher.h"

namespace zctrace::fuse {

// A child in a session of its own that waits for the end of this process. libfuse's own
// auto_unmount (3.14) does not do: fusermount3 looks once only, and takes a mount for alive whose
// process has not yet closed the device (closing BPF programs takes a while) or which is another
// user's; and it leaves the mount where this process dies before it has been given the device.
//
// It does not wait for the device to be closed, either: a thread whose request to the kernel waits
// for a user of the mount, who waits for an answer, keeps it open, and cannot be killed. So first
// of all it aborts the connection.
class CrashWatcher {
 public:
  // Forks: see ParentWatcher. `fusermount` is the program's path. Throws Error.
  CrashWatcher(const std::string& fusermount, const std::string& target);
  ~CrashWatcher();  // it unmounts now, should the mount be there still
  CrashWatcher(const CrashWatcher&) = delete;
  CrashWatcher& operator=(const CrashWatcher&) = delete;

  // To be called when it is mounted, with what is mounted. What is started before, fusermount3, is
  // waited for as well: it may still be at it when this process is dead.
  void mounted(const MountIdentity& mount) noexcept;

 private:
  std::string target_;
  MountIdentity mount_;
  ParentWatcher child_;
};

}  // namespace zctrace::fuse
