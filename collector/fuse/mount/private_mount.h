// SPDX-License-Identifier: MIT
// A passthrough over a directory, visible to chosen processes only.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "collector/fuse/mount/parent_watcher.h"
#include "collector/fuse/mount/passthrough.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Owns a mount namespace in which `directory` is mounted over itself through the passthrough, and
// the daemon that serves it. Nothing is mounted outside the namespace, so nothing can be left
// behind: when this process dies, its helper aborts the connection, because the device may stay
// open (see CrashWatcher), and the namespace ends with its last process.
class PrivateMount {
 public:
  // Creates the namespace. Needs CAP_SYS_ADMIN. Throws Error.
  explicit PrivateMount(const std::string& directory);
  // Starts the daemon. Call it once, after forking every process that will enter the namespace.
  // Until then, access to the directory inside the namespace waits. Throws Error.
  void serve(const PassthroughOptions& options);

  // Call it in a forked child: moves the child into the namespace and reopens its working directory
  // through the mount. Makes system calls only. Returns 0 or an errno.
  int enter() const noexcept;

  // Valid after serve().
  Passthrough& passthrough() { return *passthrough_; }
  bool has_stuck_threads() const { return passthrough_ && passthrough_->has_stuck_threads(); }

 private:
  std::string directory_;
  dev_t mounted_device_ = 0;
  Descriptor root_;
  Descriptor device_;
  Descriptor namespace_;
  std::string working_directory_;
  std::unique_ptr<ParentWatcher> helper_;
  std::unique_ptr<Passthrough> passthrough_;
};

}  // namespace zctrace::fuse
