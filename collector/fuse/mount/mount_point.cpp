// SPDX-License-Identifier: MIT
// Checks the directories, and unmounts: as root by umount2(), as an ordinary user by fusermount3.
#include "collector/fuse/mount/mount_point.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "collector/os/error.h"
#include "collector/os/mountinfo.h"

namespace zctrace::fuse {
namespace {

constexpr const char* kDevice = "/dev/fuse";
constexpr const char* kFusermount = "fusermount3";
constexpr unsigned kUniqueMountId = 0x4000;  // STATX_MNT_ID_UNIQUE, Linux 6.8

std::string in_quotes(const std::string& path) { return "'" + path + "'"; }

std::string canonical(const std::string& path) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) return "";
  return resolved;
}

std::string existing_directory(const std::string& path, const char* what) {
  struct statfs dead;
  errno = 0;
  const bool is_dead = ::statfs(path.c_str(), &dead) != 0 && errno == ENOTCONN;
  std::string resolved = is_dead ? "" : canonical(path);
  if (is_dead)
    throw Error(std::string(what) + " " + in_quotes(path) +
                " is a dead FUSE mount; unmount it first: fusermount3 -u " + path);
  if (resolved.empty()) throw system_error(std::string(what) + " " + in_quotes(path), errno);
  struct stat status;
  if (::stat(resolved.c_str(), &status) != 0)
    throw system_error(std::string(what) + " " + in_quotes(path), errno);
  if (!S_ISDIR(status.st_mode))
    throw Error(std::string(what) + " " + in_quotes(path) + " is not a directory");
  return resolved;
}

bool is_empty(const std::string& directory) {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  const std::unique_ptr<DIR, Close> stream(::opendir(directory.c_str()));
  if (!stream) throw system_error("cannot read mount point " + in_quotes(directory), errno);
  while (const dirent* found = ::readdir(stream.get()))
    if (std::strcmp(found->d_name, ".") != 0 && std::strcmp(found->d_name, "..") != 0) return false;
  return true;
}

std::string find_program(const char* name) {
  const char* const told = std::getenv("PATH");
  std::string path = std::string(told != nullptr ? told : "") + ":/usr/bin:/bin";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    std::string candidate = path.substr(begin, end - begin) + "/" + name;
    if (candidate.front() == '/' && candidate.size() > std::strlen(name) + 1 &&
        ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
    begin = end + 1;
  }
  return "";
}

// True even if something else is mounted over it. The type check is needed because another file
// system may have its device number now.
bool is_mounted(const std::string& target, dev_t device) {
  const std::string number = std::to_string(major(device)) + ":" + std::to_string(minor(device));
  const std::vector<MountEntry> mounts = read_mounts("/proc/self/mountinfo");
  return std::any_of(mounts.begin(), mounts.end(), [&](const MountEntry& mount) {
    return mount.device == number && mount.target == target && mount.type == "fuse.zctrace";
  });
}

// Runs in a thread of its own: umount may wait until dirty pages are written, that is, for answers.
// If the main thread waited there it could not be killed, and the crash watcher would not be
// notified.
int umount_error(const std::string& target, int flags) {
  int error = 0;
  std::thread([&] {
    if (::umount2(target.c_str(), flags) != 0) error = errno;
  }).join();
  return error;
}

// zctrace words the message about a busy mount itself, so fusermount3's standard error is
// discarded.
int run_fusermount(const std::string& target, bool lazily) {
  const std::string program = find_program(kFusermount);
  if (program.empty()) return -1;
  std::string name = kFusermount;
  std::string flags = lazily ? "-uqz" : "-uq";
  std::string end = "--";
  std::string path = target;
  char* const argv[] = {name.data(), flags.data(), end.data(), path.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, argv, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return -1;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

bool is_within(std::string_view inner, std::string_view outer) {
  if (outer == "/") return inner.starts_with('/');
  if (!inner.starts_with(outer)) return false;
  return inner.size() == outer.size() || inner[outer.size()] == '/';
}

MountPoint check_mount_point(const std::string& source, const std::string& target) {
  MountPoint point;
  point.source = existing_directory(source, "source");
  point.target = existing_directory(target, "mount point");
  if (point.source == point.target)
    throw Error("source and mount point are the same directory, " + in_quotes(point.source) +
                "; choose an empty directory elsewhere as the mount point");
  if (is_within(point.target, point.source))
    throw Error("mount point " + in_quotes(target) + " lies inside source " + in_quotes(source) +
                "; choose an empty directory elsewhere");
  if (is_within(point.source, point.target))
    throw Error("source " + in_quotes(source) + " lies inside mount point " + in_quotes(target) +
                "; choose an empty directory elsewhere as the mount point");
  if (!is_empty(point.target))
    throw Error("mount point " + in_quotes(target) + " is not empty; choose an empty directory");
  point.root.reset(::open(point.source.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!point.root) throw system_error("cannot open source " + in_quotes(source), errno);
  return point;
}

std::string require_fuse() {
  struct stat status;
  if (::stat(kDevice, &status) != 0)
    throw Error(std::string(kDevice) + ": " + std::strerror(errno) +
                "; load the module (modprobe fuse), or pass the device into the container");
  if (!S_ISCHR(status.st_mode)) throw Error(std::string(kDevice) + " is not a device");
  if (::access(kDevice, R_OK | W_OK) != 0)
    throw Error(
        std::string(kDevice) + ": " + std::strerror(errno) +
        "; run as root, or allow every user to open it, as most systems do (chmod 666 /dev/fuse)");
  std::string program = find_program(kFusermount);
  if (program.empty())
    throw Error(std::string(kFusermount) + " is not installed; install the package fuse3");
  return program;
}

MountIdentity mounted_at(const char* target) noexcept {
  struct statx status;
  constexpr int kDoNotAsk = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
  constexpr unsigned kWanted = STATX_TYPE | STATX_MNT_ID | kUniqueMountId;
  if (::statx(AT_FDCWD, target, kDoNotAsk, kWanted, &status) != 0) return {};
  return {makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_mnt_id};
}

Unmounted unmount(const std::string& target, const MountIdentity& mount, bool lazily) {
  if (!is_mounted(target, mount.device)) return Unmounted::yes;
  if (mounted_at(target.c_str()) != mount) return Unmounted::covered;
  if (::geteuid() == 0) {
    const int error = umount_error(target, UMOUNT_NOFOLLOW | (lazily ? MNT_DETACH : 0));
    if (error == 0 || error == EINVAL || error == ENOENT) return Unmounted::yes;
    if (error == EBUSY && !lazily) return Unmounted::busy;
    throw system_error("cannot unmount " + in_quotes(target), error);
  }
  if (run_fusermount(target, lazily) == 0) return Unmounted::yes;
  if (!lazily) return Unmounted::busy;
  throw Error("cannot unmount " + in_quotes(target) + "; try: fusermount3 -uz " + target);
}

}  // namespace zctrace::fuse
