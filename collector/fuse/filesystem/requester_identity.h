// SPDX-License-Identifier: MIT
// Creates files as the requester.
#pragma once

#include <fuse3/fuse_lowlevel.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <string_view>

#include <vector>

#include "collector/fuse/filesystem/file_system.h"

namespace zctrace::fuse {

// For its lifetime the calling thread has the requester's umask and, when the mount is for every
// user, the requester's uid and gid for file access. So new files belong to the requester, or to
// the group of their set-group-ID directory. The kernel has already checked permissions with the
// supplementary groups, so they are not checked again here.
//
// Where the supplementary groups decide about set-group-ID, use RequesterGroups as well.
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

// For its lifetime the calling thread has exactly the requester's supplementary groups, if the
// mount is for every user, `wanted` is set and the requester is not root. Requests do not carry the
// groups, so they are read from /proc. If that fails, there are none.
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

// Whether a new file's mode makes the kernel drop set-group-ID when the creator is not in the group
// of its set-group-ID directory.
constexpr bool is_set_group_id(mode_t mode) {
  return (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
}

// For its lifetime, what the calling thread writes takes space as `user` would: not from the blocks
// that a file system reserves for root, and within the user's quota. Unless `keeps_set_ids`, it
// also drops set-user-ID and set-group-ID bits of written files, as the user's write would. Only if
// the mount is for every user, and not for root. The thread must not open files meanwhile.
class RequesterSpace {
 public:
  RequesterSpace(uid_t user, const FileSystemOptions& options, bool keeps_set_ids) noexcept;
  ~RequesterSpace();
  RequesterSpace(const RequesterSpace&) = delete;
  RequesterSpace& operator=(const RequesterSpace&) = delete;

 private:
  bool switched_;
};

// Whether an ordinary user sent this request to a daemon that runs as root.
bool is_ordinary_user(fuse_req_t request) noexcept;

// For its lifetime, the thread's writes drop set-user-ID and set-group-ID bits, even though the
// daemon is root. For O_TRUNC by ordinary users, which the kernel asks for by a flag that libfuse
// 3.14 does not pass on (FUSE_OPEN_KILL_SUIDGID).
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
