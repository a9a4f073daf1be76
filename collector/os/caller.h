// SPDX-License-Identifier: MIT
// The user that the command runs as: the caller, also where sudo started zctrace.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace zctrace {

struct Caller {
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;
  // HOME, USER and LOGNAME of that user, as NAME=value.
  std::vector<std::string> environment;
};

// The user of SUDO_UID and SUDO_GID when zctrace runs as root under another user's sudo; nullopt:
// the command keeps zctrace's own identity. Throws Error when they are not numbers.
std::optional<Caller> sudo_caller();

// For a forked child, between fork and exec. Returns an errno, 0 on success.
int become(const Caller& caller) noexcept;

}  // namespace zctrace
