// SPDX-License-Identifier: MIT
// The user that the command runs as: the caller, even if sudo started zctrace.
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
  // HOME, USER and LOGNAME as NAME=value.
  std::vector<std::string> environment;
};

// The user in SUDO_UID and SUDO_GID if zctrace runs as root under another user's sudo. nullopt: the
// command runs as zctrace's own user. Throws Error if the variables are not numbers.
std::optional<Caller> sudo_caller();

// The real user if zctrace got its capabilities from its file, and every user may execute that
// file. Such a user may observe only its own processes. nullopt: may observe all. A file that only
// root and a group may execute is a decision of the administrator about that group.
std::optional<uid_t> confined_user();

// For a forked child, between fork and exec. Returns 0 or an errno.
int become(const Caller& caller) noexcept;

}  // namespace zctrace
