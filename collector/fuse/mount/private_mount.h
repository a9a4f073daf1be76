// SPDX-License-Identifier: MIT
// A passthrough over a directory that only chosen processes see.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "collector/fuse/mount/parent_watcher.h"
#include "collector/fuse/mount/passthrough.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Owns a mount namespace in which `directory` is the passthrough of itself, and the daemon that
// serves it. Outside, nothing is mounted, so nothing can be left behind: when this process dies
// its helper aborts the connection, for the device may stay open (see CrashWatcher), and the
// namespace ends with the last process in it.
class PrivateMount {
 public:
  // Makes the namespace. Needs CAP_SYS_ADMIN. Throws Error.
  explicit PrivateMount(const std::string& directory);
  // Starts the daemon, once, when all is forked that shall enter. Until then whoever touches the
  // directory in the namespace waits. Throws Error.
  void serve(const PassthroughOptions& options);

  // In a forked child: moves it into the namespace, its working directory reached anew through
  // the mount. Only system calls. Returns an errno, 0 when done.
  int enter() const noexcept;

  // Once served.
  Passthrough& passthrough() { return *passthrough_; }

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
