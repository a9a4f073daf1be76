// Unmounts when zctrace dies without having done so itself.
#pragma once

#include <sys/types.h>

#include <string>

#include "collector/descriptor.h"

namespace zctrace::fuse {

// A child in a session of its own that waits for the end of this process. libfuse's own
// auto_unmount (3.14) does not do: fusermount3 looks once only, and takes a mount for alive whose
// process has not yet closed the device (closing BPF programs takes a while) or which is another
// user's; and it leaves the mount where this process dies before it has been given the device.
class CrashWatcher {
 public:
  // Forks: before the first thread. `fusermount` is the program's path. Throws Error.
  CrashWatcher(const std::string& fusermount, const std::string& target);
  ~CrashWatcher();  // sends it home: nothing is left to unmount
  CrashWatcher(const CrashWatcher&) = delete;
  CrashWatcher& operator=(const CrashWatcher&) = delete;

  // To be called when it is mounted. What is started before, fusermount3, is waited for as well: it
  // may still be at it when this process is dead.
  void mounted() noexcept;

 private:
  pid_t pid_ = -1;
  Descriptor alive_;  // its end is this process's end
};

}  // namespace zctrace::fuse
