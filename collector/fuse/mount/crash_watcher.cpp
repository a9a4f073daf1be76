// SPDX-License-Identifier: MIT
// The child aborts the connection and unmounts, where it has the permission. For an ordinary user
// it executes fusermount3.
#include "collector/fuse/mount/crash_watcher.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "collector/fuse/mount/detached_mount.h"
#include "collector/fuse/mount/mount_point.h"
#include "collector/fuse/mount/trusted_directory.h"
#include "collector/os/descriptor.h"

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

// Empty if the mount has ended since, and another may have its number.
Descriptor open_abort_of(int connections, const MountIdentity& mount, int directory) {
  Descriptor file = open_abort(connections, mount.device);
  ::close(connections);
  if (!file || !open_mount(directory, mount)) return {};
  return file;
}

void run_fusermount(const CrashWatcher::WatchedMount& watched) {
  std::string name = "fusermount3";
  std::string flags = "-uqz";
  std::string end = "--";
  std::string path = current_path(watched.directory);
  char* const arguments[] = {name.data(), flags.data(), end.data(), path.data(), nullptr};
  ::execv(watched.fusermount.c_str(), arguments);
}

void unmount_dead(const CrashWatcher::WatchedMount& watched, const MountIdentity& mount,
                  int abort) {
  // the connection may have ended already
  const ssize_t ignored = abort < 0 ? 0 : ::write(abort, "1", 1);
  (void)ignored;
  Descriptor root = open_mount(watched.directory, mount);
  if (!root) return;
  // Works for root only. MNT_FORCE aborts the connection, too.
  if (detach(root.get(), MNT_FORCE) == 0) return;
  root.reset();
  run_fusermount(watched);
}

void watch(Parent& parent, CrashWatcher::WatchedMount watched) {
  MountIdentity mount = watched.mount;
  Descriptor abort(watched.abort);
  if (mount == kNothing) {
    int connections = open_connections().release();
    int* const kept[] = {&watched.directory, &connections};
    parent.close_others(kept);
    if (parent.receive(&mount, sizeof(mount)) != Parent::Received::message) {
      // The parent died while mounting, when it had no other thread yet.
      parent.wait_until_closed();
      if (is_dead_mount(current_path(watched.directory).c_str())) run_fusermount(watched);
      return;
    }
    if (mount == kNothing) return;
    abort = open_abort_of(connections, mount, watched.directory);
  } else {
    int file = abort.release();
    int* const kept[] = {&watched.directory, &file};
    parent.close_others(kept);
    abort.reset(file);
  }
  MountIdentity left;
  if (parent.receive(&left, sizeof(left)) != Parent::Received::message)
    unmount_dead(watched, mount, abort.get());
}

}  // namespace

CrashWatcher::CrashWatcher(const WatchedMount& watched)
    : directory_(watched.directory),
      mount_(watched.mount),
      ready_(make_pipe()),
      child_([&](Parent& parent) { watch(parent, watched); }) {
  ready_.writer.reset();
  char nothing;
  // The end of the file: the child has closed its copy of the other end.
  while (::read(ready_.reader.get(), &nothing, 1) < 0 && errno == EINTR) continue;
  ready_.reader.reset();
  if (mount_ == kNothing) ::fcntl(child_.pipe(), F_SETFD, 0);
}

void CrashWatcher::mounted(const MountIdentity& mount) noexcept {
  ::fcntl(child_.pipe(), F_SETFD, FD_CLOEXEC);
  mount_ = mount;
  if (mount != kNothing) child_.send(&mount, sizeof(mount));
}

CrashWatcher::~CrashWatcher() {
  bool left = false;
  try {
    left = mount_ != kNothing && open_mount(directory_, mount_);
  } catch (...) {
    left = true;  // out of memory: the child looks again
  }
  if (!left) child_.send(&kNothing, sizeof(kNothing));
}

}  // namespace zctrace::fuse
