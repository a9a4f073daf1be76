// SPDX-License-Identifier: MIT
// Who the command runs as: the caller, also where zctrace itself was started by sudo.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace zctrace {

struct Identity {
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;
  // HOME, USER and LOGNAME of that user, as NAME=value.
  std::vector<std::string> environment;
};

// SUDO_UID and SUDO_GID when zctrace runs as root under sudo of somebody else; nullopt: the
// command keeps zctrace's own identity. Throws Error when they name nobody.
std::optional<Identity> caller_identity();

// For a forked child, between fork and exec. Returns an errno, 0 when done.
int become(const Identity& identity) noexcept;

}  // namespace zctrace
