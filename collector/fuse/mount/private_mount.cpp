// SPDX-License-Identifier: MIT
// A helper process creates the namespace and mounts in it. This process keeps a descriptor of the
// namespace and serves the device that the helper mounted. When this process dies, the helper
// aborts the mount.
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
#include <cstring>

#include "collector/fuse/mount/mount_point.h"
#include "collector/fuse/mount/trusted_directory.h"
#include "collector/os/error.h"
#include "collector/os/pipe.h"

namespace zctrace::fuse {
namespace {

// The helper's message: success, or the step that failed.
struct MountResult {
  int error = 0;
  const char* what = "";  // a literal, so the pointer is valid in both processes
  dev_t device = 0;
};

Error failure(const std::string& what, const char* action, int error) {
  const bool is_refused = error == EPERM || error == EACCES;
  return Error(what + ": cannot " + action + ": " + std::strerror(error) +
               (is_refused ? "; --mount needs root" : ""));
}

MountResult failed(const char* what) { return {errno, what, 0}; }

// Opens `target` in this namespace, which can mount over nothing else. `wanted` is the directory as
// the other namespace shows it. Empty if the path leads elsewhere by now.
Descriptor open_again(const std::string& target, int wanted) {
  Descriptor found(::open(target.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat there = {};
  struct stat here = {};
  if (!found || ::fstat(wanted, &there) != 0 || ::fstat(found.get(), &here) != 0) return {};
  if (there.st_dev == here.st_dev && there.st_ino == here.st_ino &&
      current_path(found.get()) == target)
    return found;
  errno = ESTALE;
  return {};
}

// Sets `root` to the root of the new mount.
MountResult mount_in_own_namespace(int device, const std::string& target, int source,
                                   mode_t root_mode, Descriptor& root) {
  if (::unshare(CLONE_NEWNS) != 0) return failed("create a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failed("make the mount namespace private");
  char data[160];
  std::snprintf(data, sizeof(data),
                "fd=%d,rootmode=%o,user_id=0,group_id=0,allow_other,default_permissions", device,
                static_cast<unsigned>(root_mode & S_IFMT));
  const Descriptor directory = open_again(target, source);
  if (!directory) return failed("find the directory again");
  // The magic link leads to the directory itself, whatever its path is now.
  const std::string link = "/proc/self/fd/" + std::to_string(directory.get());
  if (::mount("zctrace", link.c_str(), "fuse.zctrace", MS_NOSUID | MS_NODEV, data) != 0)
    return failed("mount the passthrough");
  root = open_mounted(directory.get());
  if (!root) return failed("open the mount");
  return {0, "", mount_of(root.get()).device};
}

// Aborts a mount that is in use, and does not detach it: processes that remain in the namespace
// must not see the underlying directory.
void abort_at_the_end(Parent& parent, int root) {
  int* const kept[] = {&root};
  parent.close_others(kept);
  char nothing;
  parent.receive(&nothing, sizeof(nothing));
  ::umount2(("/proc/self/fd/" + std::to_string(root)).c_str(), MNT_FORCE);
}

}  // namespace

PrivateMount::PrivateMount(const std::string& directory)
    : root_(open_trusted_directory(directory, "--mount directory")) {
  const std::string what = "--mount '" + directory + "'";
  directory_ = current_path(root_.get());
  struct stat status = {};
  if (directory_.empty() || ::fstat(root_.get(), &status) != 0) throw system_error(what, errno);
  char here[PATH_MAX];
  if (::getcwd(here, sizeof(here)) != nullptr) working_directory_ = here;
  device_.reset(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device_) throw failure(what, "open '/dev/fuse'", errno);

  Pipe report = make_pipe();
  helper_ = std::make_unique<ParentWatcher>([&](Parent& parent) {
    Descriptor root;
    const MountResult result =
        mount_in_own_namespace(device_.get(), directory_, root_.get(), status.st_mode, root);
    if (::write(report.writer.get(), &result, sizeof(result)) != sizeof(result)) ::_exit(1);
    if (result.error == 0) abort_at_the_end(parent, root.release());
  });
  report.writer.reset();
  MountResult result{ECHILD, "create a mount namespace", 0};
  ssize_t n;
  do {
    n = ::read(report.reader.get(), &result, sizeof(result));
  } while (n < 0 && errno == EINTR);
  if (result.error != 0) throw failure(what, result.what, result.error);
  namespace_.reset(::open(("/proc/" + std::to_string(helper_->pid()) + "/ns/mnt").c_str(),
                          O_RDONLY | O_CLOEXEC));
  if (!namespace_) throw system_error(what + ": cannot open the mount namespace", errno);
  mounted_device_ = result.device;
}

void PrivateMount::serve(const PassthroughOptions& options) {
  passthrough_ =
      std::make_unique<Passthrough>(std::move(root_), std::move(device_), directory_, options);
  if (mounted_device_ != 0) passthrough_->fs().set_mount_device(mounted_device_);
}

int PrivateMount::enter() const noexcept {
  // The kernel aborts requests to a dead daemon only when no process has the device open. A child
  // that kept it open and sent a request itself would wait forever.
  if (device_) ::close(device_.get());
  if (::setns(namespace_.get(), CLONE_NEWNS) != 0) return errno;
  // setns() sets the working directory to the root. The old path now leads through the mount.
  if (working_directory_.empty()) return 0;
  if (::chdir(working_directory_.c_str()) != 0) return errno;
  char here[PATH_MAX];
  if (::getcwd(here, sizeof(here)) == nullptr) return errno;
  return working_directory_ == here ? 0 : ESTALE;  // a link took its place meanwhile
}

}  // namespace zctrace::fuse
