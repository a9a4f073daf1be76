// SPDX-License-Identifier: MIT
// Finds the user in sudo's environment, with groups and home.
#include "collector/os/caller.h"

#include <grp.h>
#include <pwd.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "collector/os/error.h"

namespace zctrace {
namespace {

std::optional<unsigned> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  unsigned number = 0;
  const char* end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end)
    throw Error(std::string(variable) + "='" + text +
                "' is not a number; unset it, or use --as-root");
  return number;
}

}  // namespace

std::optional<Caller> sudo_caller() {
  if (::geteuid() != 0) return std::nullopt;
  const auto uid = number_in("SUDO_UID");
  const auto gid = number_in("SUDO_GID");
  if (uid && *uid != 0 && !gid)
    throw Error(
        "SUDO_UID is set, but SUDO_GID is not, so the command's user is unclear; set both, "
        "or use --as-root");
  if (!uid || !gid || *uid == 0) return std::nullopt;

  Caller caller{*uid, *gid, {*gid}, {}};
  if (const passwd* user = ::getpwuid(*uid)) {
    int count = 0;
    ::getgrouplist(user->pw_name, *gid, nullptr, &count);
    caller.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(user->pw_name, *gid, caller.groups.data(), &count);
    caller.groups.resize(static_cast<std::size_t>(count));
    caller.environment = {std::string("HOME=") + user->pw_dir, std::string("USER=") + user->pw_name,
                          std::string("LOGNAME=") + user->pw_name};
  }
  return caller;
}

std::optional<uid_t> confined_user() {
  // AT_SECURE: the program has rights that its caller does not have.
  if (::getuid() == 0 || ::getauxval(AT_SECURE) == 0) return std::nullopt;
  struct stat program = {};
  if (::stat("/proc/self/exe", &program) == 0 && (program.st_mode & S_IXOTH) == 0)
    return std::nullopt;
  return ::getuid();
}

int become(const Caller& caller) noexcept {
  // Groups first: without root's uid they can no longer be set.
  if (::setgroups(caller.groups.size(), caller.groups.data()) != 0) return errno;
  if (::setgid(caller.gid) != 0) return errno;
  if (::setuid(caller.uid) != 0) return errno;
  for (const std::string& variable : caller.environment)
    ::putenv(const_cast<char*>(variable.c_str()));
  return 0;
}

}  // namespace zctrace
