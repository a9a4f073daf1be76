// SPDX-License-Identifier: MIT
// Checks the directories, and unmounts: as root through a descriptor of the mount's root, as an
// ordinary user by fusermount3, which takes only a path.
#include "collector/fuse/mount/mount_point.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "collector/fuse/mount/trusted_directory.h"
#include "collector/os/child.h"
#include "collector/os/error.h"
#include "collector/os/mountinfo.h"

namespace zctrace::fuse {
namespace {

constexpr const char* kDevice = "/dev/fuse";
constexpr const char* kFusermount = "fusermount3";
constexpr unsigned kUniqueMountId = 0x4000;  // STATX_MNT_ID_UNIQUE, Linux 6.8

std::string in_quotes(const std::string& path) { return "'" + path + "'"; }

Descriptor open_existing(const std::string& path, const char* what) {
  Descriptor directory;
  struct statfs dead;
  try {
    directory = open_trusted_directory(path, what);
    errno = 0;
    if (::fstatfs(directory.get(), &dead) == 0 || errno != ENOTCONN) return directory;
  } catch (const Error&) {
    errno = 0;
    if (::statfs(path.c_str(), &dead) == 0 || errno != ENOTCONN) throw;
  }
  throw Error(std::string(what) + " " + in_quotes(path) +
              " is a dead FUSE mount; unmount it first: fusermount3 -u " + path);
}

bool is_empty(int directory, const std::string& path) {
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  Descriptor fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, Close> stream(fd ? ::fdopendir(fd.get()) : nullptr);
  if (!stream) throw system_error("cannot read mount point " + in_quotes(path), errno);
  fd.release();  // now owned by the stream
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

// The type is compared because a later mount may have both numbers.
std::optional<MountEntry> listed(const MountIdentity& mount) {
  const std::string number =
      std::to_string(major(mount.device)) + ":" + std::to_string(minor(mount.device));
  for (MountEntry& entry : read_mounts("/proc/self/mountinfo"))
    if (entry.id == std::to_string(mount.listed_id) && entry.device == number &&
        entry.type == "fuse.zctrace")
      return entry;
  return std::nullopt;
}

MountIdentity identity(int fd, const char* path, int flags) noexcept {
  struct statx status;
  flags |= AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
  if (::statx(fd, path, flags, STATX_TYPE | STATX_MNT_ID, &status) != 0) return {};
  MountIdentity mount{makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_mnt_id,
                      status.stx_mnt_id};
  constexpr unsigned kUnique = STATX_TYPE | kUniqueMountId;
  if (::statx(fd, path, flags, kUnique, &status) == 0 && (status.stx_mask & kUniqueMountId) != 0)
    mount.id = status.stx_mnt_id;
  return mount;
}

// Runs in a thread of its own: the last reference may wait until dirty pages are written, that is,
// for answers. If the main thread waited there it could not be killed, and the crash watcher would
// not be notified.
int detach_and_close(Descriptor root) {
  int error = 0;
  std::thread([&error, root = std::move(root)]() mutable {
    error = detach(root.get(), 0);
    root.reset();
  }).join();
  return error;
}

// zctrace words the message about a busy mount itself, so fusermount3's standard error is
// discarded. -1: it could not run.
int run_fusermount(const std::string& target, bool lazily) {
  const std::string program = find_program(kFusermount);
  if (program.empty()) return -1;
  std::string name = kFusermount;
  std::string flags = lazily ? "-uqz" : "-uq";
  std::string end = "--";
  std::string path = target;
  char* const argv[] = {name.data(), flags.data(), end.data(), path.data(), nullptr};
  ChildOptions options;
  options.unwaited = ChildOptions::Unwaited::wait;
  // Serving threads may hold locks in the moment of the fork, so the child allocates nothing.
  try {
    Child child(options, [&]() noexcept {
      const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
      if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
      ::execv(program.c_str(), argv);
      ::_exit(kExitNotFound);
    });
    const int status = child.wait();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  } catch (const Error&) {
    return -1;
  }
}

}  // namespace

bool is_within(std::string_view inner, std::string_view outer) {
  if (outer == "/") return inner.starts_with('/');
  if (!inner.starts_with(outer)) return false;
  return inner.size() == outer.size() || inner[outer.size()] == '/';
}

MountPoint check_mount_point(const std::string& source, const std::string& target) {
  MountPoint point;
  point.root = open_existing(source, "source");
  point.directory = open_existing(target, "mount point");
  point.source = current_path(point.root.get());
  point.target = current_path(point.directory.get());
  if (point.source == point.target)
    throw Error("source and mount point are the same directory, " + in_quotes(point.source) +
                "; choose an empty directory elsewhere as the mount point");
  if (is_within(point.target, point.source))
    throw Error("mount point " + in_quotes(target) + " lies inside source " + in_quotes(source) +
                "; choose an empty directory elsewhere");
  if (is_within(point.source, point.target))
    throw Error("source " + in_quotes(source) + " lies inside mount point " + in_quotes(target) +
                "; choose an empty directory elsewhere as the mount point");
  if (!is_empty(point.directory.get(), target))
    throw Error("mount point " + in_quotes(target) + " is not empty; choose an empty directory");
  return point;
}

std::string require_fuse() {
  struct stat status;
  if (::stat(kDevice, &status) != 0)
    throw Error(std::string("cannot find ") + kDevice + ": " + std::strerror(errno) +
                "; load the module (modprobe fuse), or pass the device into the container");
  if (!S_ISCHR(status.st_mode)) throw Error(std::string(kDevice) + " is not a device");
  if (::access(kDevice, R_OK | W_OK) != 0)
    throw Error(
        std::string("cannot open ") + kDevice + ": " + std::strerror(errno) +
        "; run as root, or allow every user to open it, as most systems do (chmod 666 /dev/fuse)");
  std::string program = find_program(kFusermount);
  if (program.empty())
    throw Error(std::string(kFusermount) + " is not installed; install the package fuse3");
  return program;
}

MountIdentity mount_of(int fd) noexcept { return identity(fd, "", AT_EMPTY_PATH); }

MountIdentity mounted_at(const char* path) noexcept { return identity(AT_FDCWD, path, 0); }

// Through the parent directory, because a descriptor leads below what is mounted over it. A mount
// point cannot be renamed where it is mounted, but each directory above it can.
Descriptor open_mounted(int directory) noexcept {
  const std::string path = current_path(directory);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  const Descriptor parent(::openat(directory, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return Descriptor(::openat(parent.get(), path.c_str() + slash + 1,
                             O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Descriptor open_mount(int directory, const MountIdentity& mount) {
  if (Descriptor root = open_mounted(directory); root && mount_of(root.get()) == mount) return root;
  // It may have been moved. Between looking for its path and opening it, a directory above it may
  // have been renamed.
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    const auto entry = listed(mount);
    if (!entry) break;
    Descriptor root(::open(entry->target.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (root && mount_of(root.get()) == mount) return root;
  }
  return {};
}

int detach(int root, int flags) noexcept {
  // The magic link leads to the descriptor's own mount. UMOUNT_NOFOLLOW would refuse it.
  char path[32];
  std::snprintf(path, sizeof(path), "/proc/self/fd/%d", root);
  return ::umount2(path, MNT_DETACH | flags) == 0 ? 0 : errno;
}

Unmounted unmount(int directory, const MountIdentity& mount, const std::function<bool()>& used) {
  const std::string path = current_path(directory);
  Descriptor root = open_mount(directory, mount);
  if (!root) return listed(mount) ? Unmounted::covered : Unmounted::yes;
  if (::geteuid() == 0) {
    const int error = detach_and_close(std::move(root));
    if (error != 0 && error != EINVAL)
      throw system_error("cannot unmount " + in_quotes(path), error);
    return used() ? Unmounted::busy : Unmounted::yes;
  }
  root.reset();  // it would count as a user of the mount
  if (run_fusermount(path, false) == 0) return Unmounted::yes;
  if (run_fusermount(path, true) == 0) return Unmounted::busy;
  throw Error("cannot unmount " + in_quotes(path) + "; try: fusermount3 -uz " + path);
}

}  // namespace zctrace::fuse
