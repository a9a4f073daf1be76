// Unmounts when zctrace dies without having done so itself.
#pragma once

#include <sys/types.h>

#include <string>

#include "collector/descriptor.h"

namespace zctrace::fuse {

// A child in a session of its own that waits for the end of this process. libfuse's own
// auto_unmount, which root's mounts have as well, looks once only and takes a mount for alive
// whose process has not yet closed the device (closing BPF programs takes a while), or which is
// another user's, for root may not look at that (libfuse 3.14, should_auto_unmount()).
class CrashWatcher {
 public:
  // Forks: before the first thread. `fusermount` is the program's path. Throws Error.
  CrashWatcher(const std::string& fusermount, const std::string& target);
  ~CrashWatcher();  // sends it home: nothing is left to unmount
  CrashWatcher(const CrashWatcher&) = delete;
  CrashWatcher& operator=(const CrashWatcher&) = delete;

 private:
  pid_t pid_ = -1;
  Descriptor alive_;  // its end is this process's end
};

}  // namespace zctrace::fuse
