// SPDX-License-Identifier: MIT
// Creating files as whoever asked for them.
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <string_view>

#include <vector>

#include "collector/fuse/filesystem/file_system.h"

namespace zctrace::fuse {

// For its lifetime the calling thread has the requester's umask and, when the mount is for
// everyone, its uid and gid for file access: what it creates belongs to the requester, with
// the group of a setgid directory where there is one. The kernel has checked the permissions
// already, knowing the supplementary groups, so they are not checked again here.
//
// Where those decide about set-group-ID, RequesterGroups has to be there as well.
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

// The supplementary groups in the text of /proc/PID/status.
std::vector<gid_t> groups_in(std::string_view status);

// For its lifetime the calling thread is in the requester's supplementary groups and in no other,
// when the mount is for everyone, `wanted`, and the requester not root. They are in no request:
// /proc tells them. Where it cannot, there are none.
class RequesterGroups {
 public:
  RequesterGroups(fuse_req_t request, bool wanted);
  ~RequesterGroups();
  RequesterGroups(const RequesterGroups&) = delete;
  RequesterGroups& operator=(const RequesterGroups&) = delete;

 private:
  bool switched_;
  std::vector<gid_t> own_;
};

// Whether a new file's mode is one that the kernel takes set-group-ID from, in a set-group-ID
// directory of a group that the creator is not in.
constexpr bool is_set_group_id(mode_t mode) {
  return (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
}

// Whether others than root ask, of a daemon that is root.
bool is_ordinary_user(fuse_req_t request) noexcept;

// While it lives, what the thread writes drops set-user-ID and set-group-ID bits, though the
// daemon is root. For O_TRUNC and writes past the page cache by others than root: for all other
// writes the kernel drops them itself, and of these it tells in flags that libfuse 3.14 does not
// pass on (FUSE_OPEN_KILL_SUIDGID, FUSE_WRITE_KILL_SUIDGID).
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
