// SPDX-License-Identifier: MIT
// Sets the session up, serves it in worker threads, and ends it in an orderly way.
#include "collector/fuse/mount/passthrough.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/mount/mount_point.h"
#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

// Interrupts a worker's read of /dev/fuse; its handler does nothing.
const int kWakeSignal = SIGRTMIN + 6;

// A request and its header must fit into a pipe, and pipe sizes are powers of two: half of the
// largest pipe that an ordinary user may have.
constexpr unsigned kMaxWrite = 512 * 1024;
constexpr rlim_t kOtherDescriptors = 256;
constexpr std::chrono::milliseconds kForgetPause(20);
// How long running requests may take when serving ends.
constexpr std::chrono::milliseconds kEndPatience(1000);

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
  const FileSystemOptions& options = static_cast<FileSystem*>(user)->options;
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
  all.splice = options.splice;
  all.cache = options.cache;
  all.identify_requesters = options.identify_requesters;
  all.remember_requesters = options.remember_requesters;
  all.for_everyone = for_everyone;
  all.thread_umask = threads_may_leave_fs();
  all.inode_descriptors = raise_descriptor_limit();
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

void mark_ended(int event) noexcept {
  const std::uint64_t one = 1;
  if (::write(event, &one, sizeof(one)) < 0) return;  // the event was readable already
}

}  // namespace

Passthrough::Passthrough(const std::string& source, const std::string& target,
                         const PassthroughOptions& options) {
  const std::string fusermount = require_fuse();
  MountPoint point = check_mount_point(source, target);
  source_ = point.source;
  target_ = point.target;
  const bool for_everyone = ::geteuid() == 0;
  crash_watcher_ = std::make_unique<CrashWatcher>(fusermount, target_);
  fs_ = std::make_unique<FileSystem>(std::move(point.root),
                                     file_system_options(options, for_everyone));
  open_session(std::string("fsname=zctrace,subtype=zctrace") +
               (for_everyone ? ",allow_other,default_permissions" : ""));
  last_complaint.clear();
  ::fuse_set_log_func(keep_complaint);
  const int result = ::fuse_session_mount(session_.get(), target_.c_str());
  ::fuse_set_log_func(nullptr);
  if (result != 0)
    throw Error("cannot mount at '" + target_ + "'" +
                (last_complaint.empty() ? std::string() : ": " + last_complaint));
  mounted_ = true;
  mount_ = mounted_at(target_.c_str());
  crash_watcher_->mounted(mount_);
  // Known without a request of zctrace's own, which would be counted among the others.
  if (mount_.device != 0) fs_->set_mount_device(mount_.device);
  start(options);  // if it throws, the watcher unmounts
}

Passthrough::Passthrough(Descriptor root, Descriptor device, const std::string& target,
                         const PassthroughOptions& options)
    : source_(target),
      target_(target),
      fs_(std::make_unique<FileSystem>(std::move(root), file_system_options(options, true))) {
  open_session("");
  const std::string path = "/dev/fd/" + std::to_string(device.get());
  if (::fuse_session_mount(session_.get(), path.c_str()) != 0)
    throw Error("cannot serve the file system mounted at '" + target + "'");
  device.release();  // now owned by the session
  start(options);
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

void Passthrough::start(const PassthroughOptions& options) {
  const int device = ::fuse_session_fd(session_.get());
  if (const int error = ::fuse_session_custom_io(session_.get(), &device_io(), device); error != 0)
    throw system_error("cannot observe the FUSE device", -error);
  served_ = options.served;
  ended_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!ended_) throw system_error("cannot create an event", errno);

  struct sigaction nothing = {};
  nothing.sa_handler = [](int) {};
  ::sigaction(kWakeSignal, &nothing, nullptr);
  // Block all other signals: the caller's threads take them.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigdelset(&all, kWakeSignal);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const unsigned count = fs_->options.threads;
  try {
    workers_.reserve(count);
    waiting_.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
      ++serving_;
      workers_.emplace_back([this, is_first = i == 0] { serve(is_first); });
    }
    forgetter_ = std::thread([this] { make_kernel_forget(); });
  } catch (const std::system_error& error) {
    if (workers_.size() < serving_) --serving_;  // the thread that could not be started
    stop();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw system_error("cannot start " + std::to_string(count) + " threads", error.code().value());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  try {
    if (options.before_serving) options.before_serving(thread_ids());
  } catch (...) {
    stop();
    throw;
  }
  open_gate();
}

std::vector<pid_t> Passthrough::thread_ids() {
  std::unique_lock lock(gate_mutex_);
  gate_.wait(lock, [this] { return waiting_.size() == workers_.size(); });
  return waiting_;
}

void Passthrough::open_gate() noexcept {
  {
    const std::lock_guard lock(gate_mutex_);
    gate_open_ = true;
  }
  gate_.notify_all();
}

void Passthrough::let_all_receive() noexcept {
  {
    const std::lock_guard lock(gate_mutex_);
    negotiated_ = true;
  }
  gate_.notify_all();
}

// Until FUSE_INIT is answered, libfuse receives by read(2), also on a mount that splices. A worker
// that waited there would copy its first request, so only the first worker receives until then.
void Passthrough::serve(bool is_first) noexcept {
  if (fs_->options.thread_umask) ::unshare(CLONE_FS);
  ::pthread_setname_np(::pthread_self(), "zctrace-fuse");
  {
    std::unique_lock lock(gate_mutex_);
    waiting_.push_back(::gettid());
    gate_.notify_all();
    gate_.wait(lock, [this, is_first] { return gate_open_ && (is_first || negotiated_); });
  }
  fuse_session* const session = session_.get();
  fuse_buf buffer = {};
  bool tells_the_others = is_first;
  while (::fuse_session_exited(session) == 0) {
    const int size = ::fuse_session_receive_buf(session, &buffer);
    if (size == -EINTR || size == -EAGAIN) continue;
    if (size <= 0) break;  // 0: unmounted
    if (served_ != nullptr) std::atomic_ref(served_->taken)++;
    ::fuse_session_process_buf(session, &buffer);
    if (std::exchange(tells_the_others, false)) let_all_receive();
    if (served_ != nullptr) std::atomic_ref(served_->done)++;
    if (fs_->near_descriptor_limit()) crowded_.notify_one();
  }
  if (tells_the_others) let_all_receive();  // it ends without a request; so do they
  std::free(buffer.mem);
  if (--serving_ == 0) mark_ended(ended_.get());
}

// Runs in a thread of its own. The kernel locks the parent directory for this, and may hold that
// lock for a request that waits for a worker.
void Passthrough::make_kernel_forget() noexcept {
  ::pthread_setname_np(::pthread_self(), "zctrace-forget");
  std::unique_lock lock(crowd_mutex_);
  for (;;) {
    crowded_.wait(lock, [this] { return stopping_ || fs_->near_descriptor_limit(); });
    if (stopping_) return;
    lock.unlock();
    const std::size_t cached = fs_->inodes.size();
    const std::size_t enough = fs_->options.inode_descriptors / 4 * 3;
    try {
      for (const CachedName& name : fs_->inodes.oldest_names(cached - std::min(cached, enough))) {
        if (::fuse_session_exited(session_.get()) != 0) break;
        ::fuse_lowlevel_notify_inval_entry(session_.get(), name.parent, name.name.c_str(),
                                           name.name.size());
      }
    } catch (...) {
      // Out of memory for a name: tried again at the next request.
    }
    lock.lock();
    // The kernel's forgets arrive as requests a moment later. Inodes in use are not forgotten at
    // all.
    crowded_.wait_for(lock, kForgetPause, [this] { return stopping_; });
  }
}

Unmounted Passthrough::unmount(bool lazily) {
  if (!mounted_) return Unmounted::yes;
  const Unmounted unmounted = zctrace::fuse::unmount(target_, mount_, lazily);
  mounted_ = unmounted != Unmounted::yes;
  return unmounted;
}

void Passthrough::stop() noexcept {
  open_gate();
  {
    const std::lock_guard lock(crowd_mutex_);
    stopping_ = true;
  }
  crowded_.notify_all();
  // Join it while the workers still serve: it may wait for a directory whose user waits for an
  // answer.
  if (forgetter_.joinable()) forgetter_.join();
  ::fuse_session_exit(session_.get());
  // Repeated, because a signal that arrives between a worker's check of the session and its read
  // would be lost.
  const auto patience = std::chrono::steady_clock::now() + kEndPatience;
  for (bool connected = true; serving_ != 0; ::usleep(1000)) {
    for (std::thread& worker : workers_) ::pthread_kill(worker.native_handle(), kWakeSignal);
    // A worker may be inspecting a task in execve, which waits for a request that is no longer
    // served.
    if (connected && std::chrono::steady_clock::now() >= patience) connected = !break_connection();
  }
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  fs_->lock_waiters.stop();
  close_session();
}

// Replaces the device by a broken pipe. Tasks that wait for an answer get an error, and code that
// uses the descriptor's number finds no other file behind it.
bool Passthrough::break_connection() noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  const Descriptor writer(ends[1]);
  ::close(ends[0]);
  return ::dup3(writer.get(), ::fuse_session_fd(session_.get()), O_CLOEXEC) >= 0;
}

// libfuse frees a mount's memory only when told to unmount, and then unmounts whatever is mounted
// at that path, unless its descriptor reports that the connection has ended. A broken pipe reports
// that.
void Passthrough::close_session() noexcept {
  if (break_connection()) ::fuse_session_unmount(session_.get());
  session_.reset();
}

Passthrough::~Passthrough() {
  try {
    if (unmount(false) == Unmounted::busy) unmount(true);
  } catch (...) {
    // The watcher unmounts.
  }
  if (session_) stop();
}

}  // namespace zctrace::fuse
