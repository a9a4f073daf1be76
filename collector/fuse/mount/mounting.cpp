// SPDX-License-Identifier: MIT
// How a passthrough begins: mounts, and sets the session with the kernel up.
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <thread>
#include <utility>

#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/mount/detached_mount.h"
#include "collector/fuse/mount/mount_point.h"
#include "collector/fuse/mount/passthrough.h"
#include "collector/fuse/ring/request_ring.h"
#include "collector/fuse/ring/ring_support.h"
#include "collector/os/error.h"
#include "collector/os/mountinfo.h"

namespace zctrace::fuse {
namespace {

constexpr std::size_t kOtherDescriptors = 256;

std::size_t raise_descriptor_limit() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  // Half for inodes. The rest is for open files, and for inodes that arrive while the kernel is
  // asked to forget some.
  return std::max<rlim_t>(limit.rlim_cur > kOtherDescriptors ? limit.rlim_cur / 2 : 0, 64);
}

// Whether a thread may have a umask of its own. Some containers forbid that.
bool threads_may_leave_fs() {
  bool may = false;
  std::thread([&may] { may = ::unshare(CLONE_FS) == 0; }).join();
  return may;
}

unsigned thread_count(const PassthroughOptions& options) {
  if (options.threads != 0) return options.threads;
  return std::clamp(2 * std::thread::hardware_concurrency(), 4U, 32U);
}

void negotiate(void* user, fuse_conn_info* connection) noexcept {
  FileSystem& fs = *static_cast<FileSystem*>(user);
  const FileSystemOptions& options = fs.options;
  const auto want = [connection](unsigned capability, bool wanted) {
    if (wanted && (connection->capable & capability) != 0) {
      connection->want |= capability;
    } else {
      connection->want &= ~capability;
    }
  };
  want(FUSE_CAP_SPLICE_READ, options.splice);
  want(FUSE_CAP_SPLICE_WRITE, options.splice);
  want(FUSE_CAP_SPLICE_MOVE, false);
  // Without this capability the kernel drops the set-user-ID bits and capabilities of written
  // files, which a daemon that runs as root would not do. A daemon that runs as an ordinary user
  // drops them by writing; there the kernel would send it a chmod request instead, even for files
  // of other users.
  const bool drops_itself =
      !options.for_everyone && (connection->capable & FUSE_CAP_HANDLE_KILLPRIV) != 0;
  want(FUSE_CAP_HANDLE_KILLPRIV, drops_itself);
  if (drops_itself) negotiate_also(FUSE_HANDLE_KILLPRIV);
  if (options.passthrough && (offered_flags() & kPassthroughFlag) != 0) {
    negotiate_also(kPassthroughFlag);
    fs.backing_files.enable();
  }
  if (options.by_ring && (offered_flags() & kRingFlag) != 0) {
    negotiate_also(kRingFlag);
    fs.by_ring = true;
  }
  want(FUSE_CAP_DONT_MASK, options.thread_umask);
  want(FUSE_CAP_POSIX_ACL, options.for_everyone && options.thread_umask);
  want(FUSE_CAP_PARALLEL_DIROPS, true);
  want(FUSE_CAP_CACHE_SYMLINKS, options.cache == Cache::always);
  connection->max_write = std::min(connection->max_write, kMaxWrite);
  connection->max_background = 64;
  connection->congestion_threshold = 48;
}

fuse_lowlevel_ops all_operations(bool with_access) {
  fuse_lowlevel_ops operations = {};
  operations.init = negotiate;
  add_name_operations(operations);
  add_attribute_operations(operations);
  add_xattr_operations(operations);
  add_file_operations(operations);
  add_data_operations(operations);
  add_directory_operations(operations);
  add_lock_operations(operations);
  // With default_permissions the kernel checks access itself.
  if (!with_access) operations.access = nullptr;
  return operations;
}

FileSystemOptions file_system_options(const PassthroughOptions& options, bool for_everyone) {
  FileSystemOptions all;
  all.threads = thread_count(options);
  all.by_ring = options.transport == Transport::uring;
  all.threads_of_a_queue =
      all.by_ring ? static_cast<unsigned>(threads_of_each_queue(all.threads, possible_cpus()))
                  : all.threads;
  all.splice = options.splice && !all.by_ring;  // there is nothing to splice from or to
  all.passthrough = options.by_kernel;
  all.cache = options.cache;
  all.identify_requesters = options.identify_requesters;
  all.remember_requesters = options.remember_requesters;
  all.sender_calls = options.sender_calls;
  all.for_everyone = for_everyone;
  all.thread_umask = threads_may_leave_fs();
  all.inode_descriptors = raise_descriptor_limit();
  all.descriptors = std::max(2 * all.inode_descriptors, kOtherDescriptors + 64) - kOtherDescriptors;
  // In that case the kernel has already applied the requester's umask.
  if (!all.thread_umask) ::umask(0);
  return all;
}

// libfuse's last error message, for our own one-line error.
std::string last_complaint;

void keep_complaint(fuse_log_level, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof(text), format, arguments);
  last_complaint = text;
  while (!last_complaint.empty() && last_complaint.back() == '\n') last_complaint.pop_back();
}

void require_transport(const PassthroughOptions& options) {
  if (options.transport != Transport::uring) return;
  if (const std::string refusal = refusal_of_rings(); !refusal.empty())
    throw Error("--transport uring: " + refusal, kExitCannotRun);
}

}  // namespace

Passthrough::Passthrough(const std::string& source, const std::string& target,
                         const PassthroughOptions& options) {
  if (const std::string refusal = options.by_kernel ? refusal_of_backing_files() : "";
      !refusal.empty())
    throw Error("--passthrough: " + refusal, kExitCannotRun);
  require_transport(options);
  const std::string fusermount = require_fuse();
  MountPoint point = check_mount_point(source, target);
  source_ = point.source;
  target_ = point.target;
  directory_ = std::move(point.directory);
  const bool for_everyone = ::geteuid() == 0;
  const auto open_file_system = [&] {
    fs_ = std::make_unique<FileSystem>(std::move(point.root),
                                       file_system_options(options, for_everyone));
  };
  if (for_everyone) {
    mount_as_root(fusermount, open_file_system);
  } else {
    mount_by_fusermount(fusermount, open_file_system);
  }
  mounted_ = true;
  // Known without a request of zctrace's own, which would be counted among the others.
  if (mount_.device != 0) fs_->set_mount_device(mount_.device);
  find_what_is_not_shown();
  start(options);  // if it throws, the watcher unmounts
}

Passthrough::Passthrough(Descriptor root, Descriptor device, const std::string& target,
                         const PassthroughOptions& options)
    : source_(target), target_(target) {
  require_transport(options);
  fs_ = std::make_unique<FileSystem>(std::move(root), file_system_options(options, true));
  open_session("");
  serve_device(std::move(device));
  start(options);
}

// The mount exists before it is attached, so the watcher knows it from the beginning.
void Passthrough::mount_as_root(const std::string& fusermount,
                                const std::function<void()>& open_file_system) {
  Descriptor device = open_device();
  Descriptor root = mount_detached_fuse(device);
  mount_ = mount_of(root.get());
  {
    const Descriptor connections = open_connections();
    const Descriptor abort = open_abort(connections.get(), mount_.device);
    crash_watcher_ = std::make_unique<CrashWatcher>(
        CrashWatcher::WatchedMount{fusermount, directory_.get(), mount_, abort.get()});
  }
  open_file_system();
  open_session("");
  serve_device(std::move(device));
  if (const int error = attach_mount(root, directory_); error != 0)
    throw system_error("cannot mount at '" + target_ + "'", error);
}

void Passthrough::mount_by_fusermount(const std::string& fusermount,
                                      const std::function<void()>& open_file_system) {
  crash_watcher_ =
      std::make_unique<CrashWatcher>(CrashWatcher::WatchedMount{fusermount, directory_.get()});
  open_file_system();
  open_session("fsname=zctrace,subtype=zctrace");
  const MountIdentity before = mount_of(open_mounted(directory_.get()).get());
  last_complaint.clear();
  ::fuse_set_log_func(keep_complaint);
  const int result = ::fuse_session_mount(session_.get(), target_.c_str());
  ::fuse_set_log_func(nullptr);
  if (result != 0)
    throw Error("cannot mount at '" + target_ + "'" +
                (last_complaint.empty() ? std::string() : ": " + last_complaint));
  // fusermount3 takes only a path, which another process may have changed meanwhile.
  mount_ = mount_of(open_mounted(directory_.get()).get());
  if (mount_ == before) {
    ::fuse_session_unmount(session_.get());
    throw Error("cannot mount at '" + target_ + "': it was renamed meanwhile");
  }
  crash_watcher_->mounted(mount_);
}

// Our own mount is below the source when the source shares mounts with the directory that we
// mounted over.
void Passthrough::find_what_is_not_shown() {
  const std::string own =
      std::to_string(major(mount_.device)) + ":" + std::to_string(minor(mount_.device));
  for (const MountEntry& entry : read_mounts("/proc/self/mountinfo"))
    if (entry.target != source_ && is_within(entry.target, source_) &&
        (entry.device == own || fs_->submounts.hides(entry)))
      not_shown_.push_back(entry.target);
}

void Passthrough::serve_device(Descriptor device) {
  const std::string path = "/dev/fd/" + std::to_string(device.get());
  if (::fuse_session_mount(session_.get(), path.c_str()) != 0)
    throw Error("cannot serve the file system mounted at '" + target_ + "'");
  device.release();  // now owned by the session
}

void Passthrough::open_session(const std::string& mount_options) {
  operations_ = all_operations(!fs_->options.for_everyone);
  std::string program = "zctrace";
  std::string flag = "-o";
  std::string value = mount_options;
  char* arguments[] = {program.data(), flag.data(), value.data(), nullptr};
  fuse_args args = FUSE_ARGS_INIT(value.empty() ? 1 : 3, arguments);
  last_complaint.clear();
  ::fuse_set_log_func(keep_complaint);
  session_.reset(::fuse_session_new(&args, &operations_, sizeof(operations_), fs_.get()));
  ::fuse_set_log_func(nullptr);
  ::fuse_opt_free_args(&args);
  if (!session_)
    throw Error("cannot start a FUSE session" +
                (last_complaint.empty() ? std::string() : ": " + last_complaint));
}

}  // namespace zctrace::fuse
