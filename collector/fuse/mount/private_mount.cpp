// SPDX-License-Identifier: MIT
// A helper process makes the namespace and mounts in it, and ends the mount when this process dies,
// which keeps a descriptor of the namespace and serves the device that the helper mounted.
#include "collector/fuse/mount/private_mount.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include "collector/fuse/mount/mount_point.h"
#include "collector/os/error.h"
#include "collector/os/pipe.h"

namespace zctrace::fuse {
namespace {

// What the helper says when it is done, or where it failed.
struct MountOutcome {
  int error = 0;
  const char* what = "";  // a literal: the same in both processes
  dev_t device = 0;
};

MountOutcome failed(const char* what) { return {errno, what, 0}; }

MountOutcome mount_in_own_namespace(int device, const char* target, mode_t root_mode) {
  if (::unshare(CLONE_NEWNS) != 0) return failed("create a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failed("make the mount namespace private");
  char data[160];
  std::snprintf(data, sizeof(data),
                "fd=%d,rootmode=%o,user_id=0,group_id=0,allow_other,default_permissions", device,
                static_cast<unsigned>(root_mode & S_IFMT));
  if (::mount("zctrace", target, "fuse.zctrace", MS_NOSUID | MS_NODEV, data) != 0)
    return failed("mount the passthrough");
  return {0, "", mounted_at(target).device};
}

// A mount that is in use is aborted by this, not unmounted: who is left in the namespace shall not
// find the directory itself there.
void abort_at_the_end(Parent& parent, const char* target) {
  const MountIdentity mount = mounted_at(target);
  parent.close_others(::open(target, O_PATH | O_CLOEXEC));
  char nothing;
  parent.listen(&nothing, sizeof(nothing));
  if (mounted_at(target) == mount) ::umount2(target, MNT_FORCE | UMOUNT_NOFOLLOW);
}

}  // namespace

PrivateMount::PrivateMount(const std::string& directory) {
  const std::string what = "--mount '" + directory + "'";
  char resolved[PATH_MAX];
  if (::realpath(directory.c_str(), resolved) == nullptr) throw system_error(what, errno);
  directory_ = resolved;
  root_.reset(::open(resolved, O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status = {};
  if (!root_ || ::fstat(root_.get(), &status) != 0) throw system_error(what, errno);
  char here[PATH_MAX];
  if (::getcwd(here, sizeof(here)) != nullptr) working_directory_ = here;
  device_.reset(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device_) throw system_error(what + ": cannot open '/dev/fuse'", errno);

  Pipe report = make_pipe();
  helper_ = std::make_unique<ParentWatcher>([&](Parent& parent) {
    const MountOutcome outcome = mount_in_own_namespace(device_.get(), resolved, status.st_mode);
    if (::write(report.writer.get(), &outcome, sizeof(outcome)) != sizeof(outcome)) ::_exit(1);
    if (outcome.error == 0) abort_at_the_end(parent, resolved);
  });
  report.writer.reset();
  MountOutcome outcome{ECHILD, "create a mount namespace", 0};
  ssize_t n;
  do {
    n = ::read(report.reader.get(), &outcome, sizeof(outcome));
  } while (n < 0 && errno == EINTR);
  if (outcome.error != 0) throw system_error(what + ": cannot " + outcome.what, outcome.error);
  namespace_.reset(::open(("/proc/" + std::to_string(helper_->pid()) + "/ns/mnt").c_str(),
                          O_RDONLY | O_CLOEXEC));
  if (!namespace_) throw system_error(what + ": cannot open the mount namespace", errno);
  mounted_device_ = outcome.device;
}

void PrivateMount::serve(const PassthroughOptions& options) {
  passthrough_ =
      std::make_unique<Passthrough>(std::move(root_), std::move(device_), directory_, options);
  if (mounted_device_ != 0) passthrough_->fs().set_mount_device(mounted_device_);
}

int PrivateMount::enter() const noexcept {
  // The kernel aborts what waits for a daemon that is dead only when nobody has the device open:
  // a child that had, and made a request itself, would wait for ever.
  if (device_) ::close(device_.get());
  if (::setns(namespace_.get(), CLONE_NEWNS) != 0) return errno;
  // Entering leaves one at the root; the old directory's path leads through the mount now.
  if (!working_directory_.empty() && ::chdir(working_directory_.c_str()) != 0) return errno;
  return 0;
}

}  // namespace zctrace::fuse
