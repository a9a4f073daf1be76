// SPDX-License-Identifier: MIT
// Uses raw system calls: glibc's setfsuid and capset wrappers are per thread as well, but do not
// guarantee it.
#include "collector/fuse/filesystem/requester_identity.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "collector/fuse/requesters/proc_file.h"
#include "collector/os/proc_status.h"

namespace zctrace::fuse {
namespace {

// Changes the calling thread's effective set. All of these capabilities are in the first word.
void change_effective(std::uint32_t raise, std::uint32_t drop) noexcept {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return;
  sets[0].effective |= sets[0].permitted & raise;
  sets[0].effective &= ~drop;
  ::syscall(SYS_capset, &header, sets);
}

constexpr std::uint32_t kFsetid = 1U << CAP_FSETID;
constexpr std::uint32_t kOverride =
    (1U << CAP_DAC_OVERRIDE) | (1U << CAP_FOWNER) | (1U << CAP_MKNOD);

std::vector<gid_t> own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  groups.resize(static_cast<std::size_t>(
      std::max(::getgroups(static_cast<int>(groups.size()), groups.data()), 0)));
  return groups;
}

// fuse_req_getgroups() of libfuse 3.14 reads past the end of its buffer, so this reads the file
// itself.
std::vector<gid_t> groups_of(fuse_req_t request) {
  const std::string status =
      task_status(FileSystem::of(request).proc.get(), ::fuse_req_ctx(request)->pid);
  return groups_in(status);
}

// glibc's wrapper would change the whole process.
void set_groups(const std::vector<gid_t>& groups) noexcept {
  ::syscall(SYS_setgroups, groups.size(), groups.data());
}

}  // namespace

RequesterIdentity::RequesterIdentity(const fuse_ctx& requester,
                                     const FileSystemOptions& options) noexcept
    : switched_(options.for_everyone && (requester.uid != 0 || requester.gid != 0)),
      masked_(options.thread_umask) {
  if (masked_) umask_ = ::umask(requester.umask);
  if (!switched_) return;
  ::syscall(SYS_setfsgid, requester.gid);
  if (requester.uid == 0) return;
  ::syscall(SYS_setfsuid, requester.uid);
  // Leaving uid 0 cleared the file capabilities from the effective set; they are still permitted.
  change_effective(kOverride, 0);
}

RequesterIdentity::~RequesterIdentity() {
  if (masked_) ::umask(umask_);
  if (!switched_) return;
  // Returning to uid 0 makes the file capabilities effective again.
  ::syscall(SYS_setfsuid, 0);
  ::syscall(SYS_setfsgid, 0);
}

bool is_ordinary_user(fuse_req_t request) noexcept {
  return FileSystem::of(request).options.for_everyone && ::fuse_req_ctx(request)->uid != 0;
}

std::vector<gid_t> groups_in(std::string_view status) {
  std::vector<gid_t> groups;
  const std::string_view line = status_field(status, "Groups");
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    gid_t group = 0;
    const auto parsed = std::from_chars(line.data() + at, line.data() + line.size(), group);
    if (parsed.ec != std::errc()) break;
    groups.push_back(group);
    at = static_cast<std::size_t>(parsed.ptr - line.data());
  }
  return groups;
}

RequesterGroups::RequesterGroups(fuse_req_t request, bool wanted)
    : switched_(wanted && is_ordinary_user(request)) {
  if (!switched_) return;
  own_ = own_groups();
  set_groups(groups_of(request));
}

RequesterGroups::~RequesterGroups() {
  if (switched_) set_groups(own_);
}

RequesterSpace::RequesterSpace(uid_t user, const FileSystemOptions& options,
                               bool keeps_set_ids) noexcept
    : switched_(options.for_everyone && user != 0) {
  if (!switched_) return;
  // Leaving uid 0 clears CAP_FSETID from the effective set, too.
  ::syscall(SYS_setfsuid, user);
  if (keeps_set_ids) change_effective(kFsetid, 0);
}

RequesterSpace::~RequesterSpace() {
  if (switched_) ::syscall(SYS_setfsuid, 0);
}

DropSetIds::DropSetIds(bool wanted) noexcept : wanted_(wanted) {
  if (wanted_) change_effective(0, kFsetid);
}

DropSetIds::~DropSetIds() {
  if (wanted_) change_effective(kFsetid, 0);
}

}  // namespace zctrace::fuse
