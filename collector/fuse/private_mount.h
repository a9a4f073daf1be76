// A passthrough over a directory that only chosen processes see.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "collector/descriptor.h"
#include "collector/fuse/passthrough.h"

namespace zctrace::fuse {

// Owns a mount namespace in which `directory` is the passthrough of itself, and the daemon that
// serves it. Outside, nothing is mounted, so nothing can be left behind: when this process dies
// the device is closed, and the namespace ends with the last process in it.
class PrivateMount {
 public:
  // Needs CAP_SYS_ADMIN. Before the caller's first thread. Throws Error.
  PrivateMount(const std::string& directory, const PassthroughOptions& options);

  // In a forked child: moves it into the namespace, its working directory reached anew through
  // the mount. Only system calls. Returns an errno, 0 when done.
  int enter() const noexcept;

  Passthrough& passthrough() { return *passthrough_; }

 private:
  Descriptor namespace_;
  std::string working_directory_;
  std::unique_ptr<Passthrough> passthrough_;
};

}  // namespace zctrace::fuse
