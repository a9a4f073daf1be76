// SPDX-License-Identifier: MIT
// The child aborts and unmounts, where it may; an ordinary user's becomes fusermount3 for that.
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

// From the end of the pipe to the end of the device, in an exit that closes both.
constexpr int kLooks = 100;
constexpr useconds_t kPauseUs = 10'000;

// Says that nothing is left to unmount; otherwise it is what is mounted.
constexpr MountIdentity kNothing;

bool is_dead_mount(const char* target) {
  for (int look = 0; look < kLooks; ++look) {
    // Not stat(), which the kernel answers from its cache for a while.
    struct statfs status;
    if (::statfs(target, &status) == 0) return false;  // unmounted, or something else's
    if (errno == ENOTCONN) return true;
    ::usleep(kPauseUs);
  }
  return false;
}

// What is open goes with its connection: it never means another one that got the same number.
int open_abort(int connections, const MountIdentity& mount, const char* target) {
  char name[32];
  std::snprintf(name, sizeof(name), "%u/abort", connection_number(mount.device));
  const int file = ::openat(connections, name, O_WRONLY | O_CLOEXEC);
  ::close(connections);
  if (file < 0 || mounted_at(target) == mount) return file;
  ::close(file);
  return -1;
}

struct Words {
  const char* fusermount;
  char* const* arguments;
  const char* target;
};

void unmount_dead(const Words& words, const MountIdentity& mount, int abort) {
  const ssize_t ignored = abort < 0 ? 0 : ::write(abort, "1", 1);  // it may have ended already
  (void)ignored;
  if (mounted_at(words.target) != mount) return;
  // Root's; MNT_FORCE aborts, too.
  if (::umount2(words.target, MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return;
  ::execv(words.fusermount, words.arguments);
}

void watch(Parent& parent, int connections, const Words& words) {
  connections = parent.close_others(connections);
  MountIdentity mount;
  if (parent.listen(&mount, sizeof(mount)) != Parent::Said::something) {
    // While it was mounting: there was no other thread yet.
    parent.wait_until_closed();
    if (is_dead_mount(words.target)) ::execv(words.fusermount, words.arguments);
    return;
  }
  if (mount == kNothing) return;
  const int abort = open_abort(connections, mount, words.target);
  MountIdentity left;
  if (parent.listen(&left, sizeof(left)) != Parent::Said::something)
    unmount_dead(words, mount, abort);
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
  if (mount != kNothing) child_.say(&mount, sizeof(mount));
}

CrashWatcher::~CrashWatcher() {
  if (mount_ == kNothing || mounted_at(target_.c_str()) != mount_)
    child_.say(&kNothing, sizeof(kNothing));
}

}  // namespace zctrace::fuse
