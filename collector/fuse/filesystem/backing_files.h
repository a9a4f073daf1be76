// SPDX-License-Identifier: MIT
// Files whose data the kernel moves itself: FUSE passthrough, from Linux 6.9 on.
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "collector/os/descriptor.h"

namespace zctrace::fuse {

struct FileSystemOptions;

// The backing file of an inode. All its opens use the same one, or none does: the kernel refuses a
// mixture.
struct Backing {
  std::mutex mutex;
  std::uint32_t opens = 0;
  std::int32_t id = 0;  // 0: the daemon serves reads and writes
};

// Why this kernel or user cannot have them; "" if nothing speaks against it.
std::string refusal_of_backing_files();

// Registers backing files with the kernel, which drops what is left when the connection ends. Any
// thread may call.
class BackingFiles {
 public:
  // The kernel has agreed to use backing files.
  void enable() noexcept { enabled_ = true; }
  bool enabled() const noexcept { return enabled_; }
  // The session's /dev/fuse, before the first open.
  void set_device(int device) noexcept { device_ = device; }

  // The inode is opened once more; `reopen` opens its file for I/O. Returns the backing file that
  // the reply must name, or 0. A file that the kernel does not take, such as one of a source that
  // is stacked too high, is served by the daemon. Writes take space as the owner of the file, never
  // as root.
  std::int32_t open(Backing& backing, const std::function<Descriptor()>& reopen,
                    const FileSystemOptions& options) noexcept;
  // One of its opens has ended.
  void close(Backing& backing) noexcept;

 private:
  std::atomic<bool> enabled_{false};
  std::atomic<int> device_{-1};
};

}  // namespace zctrace::fuse
