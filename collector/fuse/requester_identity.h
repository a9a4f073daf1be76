// Creating files as whoever asked for them.
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <sys/types.h>

#include "collector/fuse/file_system.h"

namespace zctrace::fuse {

// For its lifetime the calling thread has the requester's umask and, when the mount is for
// everyone, its uid and gid for file access: what it creates belongs to the requester, with
// the group of a setgid directory where there is one. The kernel has checked the permissions
// already, knowing the supplementary groups, so they are not checked again here.
class RequesterIdentity {
 public:
  RequesterIdentity(const fuse_ctx& requester, const FileSystemOptions& options) noexcept;
  ~RequesterIdentity();
  RequesterIdentity(const RequesterIdentity&) = delete;
  RequesterIdentity& operator=(const RequesterIdentity&) = delete;

 private:
  bool switched_;
  bool masked_;
  mode_t umask_ = 0;
};

// While it lives, what the thread writes drops set-user-ID and set-group-ID bits, though the
// daemon is root. For writes past the page cache by others than root: for all other writes the
// kernel drops them itself, and of these it tells in a flag that libfuse 3.14 does not pass on
// (FUSE_WRITE_KILL_SUIDGID).
class DropSetIds {
 public:
  explicit DropSetIds(bool wanted) noexcept;
  ~DropSetIds();
  DropSetIds(const DropSetIds&) = delete;
  DropSetIds& operator=(const DropSetIds&) = delete;

 private:
  bool wanted_;
};

}  // namespace zctrace::fuse
