// SPDX-License-Identifier: MIT
// The child aborts the connection and unmounts, where it has the permission. For an ordinary user
// it executes fusermount3.
#include "collector/fuse/mount/crash_watcher.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "collector/fuse/mount/detached_mount.h"
#include "collector/fuse/mount/mount_point.h"

namespace zctrace::fuse {
namespace {

// How long to wait for the device to close after the pipe has closed, in an exit that closes both.
constexpr int kLooks = 100;
constexpr useconds_t kPauseUs = 10'000;

// As a message: nothing is left to unmount. Any other value says what is mounted.
constexpr MountIdentity kNothing;

bool is_dead_mount(const char* target) {
  for (int look = 0; look < kLooks; ++look) {
    // Not stat(), which the kernel answers from its cache for a while.
    struct statfs status;
    // unmounted, or another file system is mounted there
    if (::statfs(target, &status) == 0) return false;
    if (errno == ENOTCONN) return true;
    ::usleep(kPauseUs);
  }
  return false;
}

// The open file belongs to its connection: it never refers to a later one with the same number.
int open_abort(int connections, const MountIdentity& mount, const char* target) {
  char name[32];
  std::snprintf(name, sizeof(name), "%u/abort", connection_number(mount.device));
  const int file = ::openat(connections, name, O_WRONLY | O_CLOEXEC);
  ::close(connections);
  if (file < 0 || mounted_at(target) == mount) return file;
  ::close(file);
  return -1;
}

struct UnmountCommand {
  const char* fusermount;
  char* const* arguments;
  const char* target;
};

void unmount_dead(const UnmountCommand& command, const MountIdentity& mount, int abort) {
  // the connection may have ended already
  const ssize_t ignored = abort < 0 ? 0 : ::write(abort, "1", 1);
  (void)ignored;
  if (mounted_at(command.target) != mount) return;
  // Works for root only. MNT_FORCE aborts the connection, too.
  if (::umount2(command.target, MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return;
  ::execv(command.fusermount, command.arguments);
}

void watch(Parent& parent, int connections, const UnmountCommand& command) {
  connections = parent.close_others(connections);
  MountIdentity mount;
  if (parent.receive(&mount, sizeof(mount)) != Parent::Received::message) {
    // The parent died while mounting, when it had no other thread yet.
    parent.wait_until_closed();
    if (is_dead_mount(command.target)) ::execv(command.fusermount, command.arguments);
    return;
  }
  if (mount == kNothing) return;
  const int abort = open_abort(connections, mount, command.target);
  MountIdentity left;
  if (parent.receive(&left, sizeof(left)) != Parent::Received::message)
    unmount_dead(command, mount, abort);
}

}  // namespace

CrashWatcher::CrashWatcher(const std::string& fusermount, const std::string& target)
    : target_(target), child_([&](Parent& parent) {
        std::string name = "fusermount3";
        std::string flags = "-uqz";
        std::string end = "--";
        std::string path = target;
        char* const arguments[] = {name.data(), flags.data(), end.data(), path.data(), nullptr};
        watch(parent, open_connections().release(),
              {fusermount.c_str(), arguments, target.c_str()});
      }) {
  ::fcntl(child_.pipe(), F_SETFD, 0);
}

void CrashWatcher::mounted(const MountIdentity& mount) noexcept {
  ::fcntl(child_.pipe(), F_SETFD, FD_CLOEXEC);
  mount_ = mount;
  if (mount != kNothing) child_.send(&mount, sizeof(mount));
}

CrashWatcher::~CrashWatcher() {
  if (mount_ == kNothing || mounted_at(target_.c_str()) != mount_)
    child_.send(&kNothing, sizeof(kNothing));
}

}  // namespace zctrace::fuse
