// SPDX-License-Identifier: MIT
// Reads the list of mounts again only after it has changed, which the kernel tells by poll(2).
#include "collector/fuse/filesystem/submounts.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sstream>
#include <string_view>

#include "collector/fuse/filesystem/kernel_views.h"
#include "collector/os/caller.h"
#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

constexpr std::string_view kUser = "user_id=";

bool is_fuse(std::string_view type) {
  return type == "fuse" || type == "fuseblk" || type.starts_with("fuse.") ||
         type.starts_with("fuseblk.");
}

// The user that serves a FUSE file system. Only root can name another one than itself.
uid_t server_of(std::string_view options) {
  uid_t user = static_cast<uid_t>(-1);
  for (std::size_t at = 0; at < options.size();) {
    const std::size_t end = std::min(options.find(',', at), options.size());
    const std::string_view option = options.substr(at, end - at);
    if (option.starts_with(kUser))
      std::from_chars(option.data() + kUser.size(), option.data() + option.size(), user);
    at = end + 1;
  }
  return user;
}

}  // namespace

Submounts::Submounts(bool for_everyone)
    : for_everyone_(for_everyone),
      trusted_{0, ::geteuid()},
      mountinfo_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {
  if (!mountinfo_) throw system_error("cannot open '/proc/self/mountinfo'", errno);
  if (::geteuid() == 0)
    if (const auto caller = sudo_caller()) trusted_.push_back(caller->uid);
}

bool Submounts::hides(const MountEntry& mount) const {
  if (is_fuse(mount.type))
    return std::ranges::find(trusted_, server_of(mount.options)) == trusted_.end();
  return for_everyone_ && depends_on_reader(mount.type);
}

bool Submounts::has_changed() const noexcept {
  pollfd mounts = {mountinfo_.get(), POLLPRI, 0};
  return ::poll(&mounts, 1, 0) != 0;
}

void Submounts::read() {
  std::string text;
  char part[16384];
  ::lseek(mountinfo_.get(), 0, SEEK_SET);
  for (;;) {
    const ssize_t n = ::read(mountinfo_.get(), part, sizeof(part));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(part, static_cast<std::size_t>(n));
  }
  std::istringstream lines(text);
  hidden_.clear();
  for (const MountEntry& mount : read_mounts(lines)) hidden_.emplace(mount.id, hides(mount));
}

int Submounts::may_show(std::uint64_t mount) {
  const std::lock_guard lock(mutex_);
  if (has_changed() || hidden_.empty()) read();
  const auto found = hidden_.find(std::to_string(mount));
  // Unmounted meanwhile: the kernel looks the name up again.
  if (found == hidden_.end()) return ESTALE;
  return found->second ? EACCES : 0;
}

}  // namespace zctrace::fuse
