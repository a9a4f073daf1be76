// SPDX-License-Identifier: MIT
// Serves the session in worker threads, and ends it in an orderly way; mounting.cpp begins it.
#include "collector/fuse/mount/passthrough.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/mount/mount_point.h"
#include "collector/fuse/mount/receiver.h"
#include "collector/fuse/mount/serving_rights.h"
#include "collector/fuse/requesters/proc_file.h"
#include "collector/fuse/ring/request_ring.h"
#include "collector/os/error.h"

namespace zctrace::fuse {
namespace {

// Interrupts a worker's read of /dev/fuse; its handler does nothing.
const int kWakeSignal = SIGRTMIN + 6;

constexpr std::chrono::milliseconds kForgetPause(1);
constexpr std::chrono::milliseconds kFutilePause(20);  // when nothing was forgotten
// How long running requests may take when serving ends.
constexpr std::chrono::milliseconds kEndPatience(1000);

// Also under `run --mount`, whose main thread keeps what its command needs. Without memory for that
// the thread keeps all rights.
void drop_other_rights() noexcept {
  try {
    keep_serving_rights(true);
  } catch (...) {
  }
}

void mark_ended(int event) noexcept {
  const std::uint64_t one = 1;
  if (::write(event, &one, sizeof(one)) < 0) return;  // the event was readable already
}

}  // namespace

void Passthrough::start(const PassthroughOptions& options) {
  const int device = ::fuse_session_fd(session_.get());
  if (const int error = ::fuse_session_custom_io(session_.get(), &device_io(), device); error != 0)
    throw system_error("cannot observe the FUSE device", -error);
  fs_->backing_files.set_device(device);
  served_ = options.served;
  ended_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!ended_) throw system_error("cannot create an event", errno);

  struct sigaction nothing = {};
  nothing.sa_handler = [](int) {};
  ::sigaction(kWakeSignal, &nothing, nullptr);
  if (fs_->options.splice) fs_->writes.set_recall([this] { reading_.recall(kWakeSignal); });
  // Block all other signals: the caller's threads take them.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigdelset(&all, kWakeSignal);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const unsigned count = fs_->options.threads;
  try {
    workers_.reserve(count + 1);
    waiting_.reserve(count + 1);
    if (fs_->options.by_ring) {
      start_worker(true, nullptr);
      for (unsigned i = 0; i < count; ++i)
        start_worker(false, rings_
                                .emplace_back(std::make_unique<RequestRing>(
                                    device, queues_of(i, count, possible_cpus())))
                                .get());
    } else {
      for (unsigned i = 0; i < count; ++i) start_worker(i == 0, nullptr);
    }
    forgetter_ended_ = false;
    forgetter_ = std::thread([this] {
      make_kernel_forget();
      forgetter_ended_ = true;
    });
  } catch (const std::system_error& error) {
    if (workers_.size() < serving_) --serving_;  // the thread that could not be started
    stop();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw system_error("cannot start " + std::to_string(count) + " threads", error.code().value());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  try {
    if (fs_->options.by_ring) require_rings();
    if (options.before_serving) options.before_serving(thread_ids());
  } catch (...) {
    stop();
    throw;
  }
  open_gate();
}

void Passthrough::start_worker(bool is_first, RequestRing* ring) {
  ++serving_;
  workers_.emplace_back([this, is_first, ring] { serve(is_first, ring); });
}

// Once FUSE_INIT is answered, the kernel would wait for a ring that does not come.
void Passthrough::require_rings() {
  thread_ids();
  if (ring_error_ != 0) throw system_error("cannot set up io_uring for requests", ring_error_);
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
void Passthrough::serve(bool is_first, RequestRing* ring) noexcept {
  if (fs_->options.thread_umask) ::unshare(CLONE_FS);
  if (fs_->options.for_everyone) drop_other_rights();
  ::pthread_setname_np(::pthread_self(), "zctrace-fuse");
  if (ring != nullptr)
    if (const int error = ring->open(ring_payload(kMaxWrite)); error != 0) ring_error_ = error;
  {
    std::unique_lock lock(gate_mutex_);
    waiting_.push_back(::gettid());
    if (is_first) first_worker_ = waiting_.back();
    gate_.notify_all();
    gate_.wait(lock, [this, is_first] { return gate_open_ && (is_first || negotiated_); });
  }
  if (ring != nullptr && fs_->by_ring) receive_from_ring(*ring);
  receive_from_device(is_first);
  if (--serving_ == 0) mark_ended(ended_.get());
}

void Passthrough::receive_from_ring(RequestRing& ring) noexcept {
  fuse_session* const session = session_.get();
  while (::fuse_session_exited(session) == 0 && !ring.ended()) {
    RingSlot* const slot = ring.next();
    if (slot == nullptr) continue;
    const std::span<std::byte> request = slot->request();
    if (slot->is_token()) {
      slot->answer(0);
      ring.answered(*slot);
      continue;
    }
    if (served_ != nullptr) std::atomic_ref(served_->taken)++;
    note_ring_request(request.size());
    begin_serving(*slot);
    if (!request.empty()) {
      fuse_buf buffer = {};
      buffer.size = request.size();
      buffer.mem = request.data();
      ::fuse_session_process_buf(session, &buffer);
    }
    if (end_serving()) {
      ring.answered(*slot);
    } else {
      ring.deferred(*slot);
    }
    if (served_ != nullptr) std::atomic_ref(served_->done)++;
    if (fs_->near_descriptor_limit()) fs_->shortage.notify();
  }
  ring.close();
}

// Null: libfuse receives.
ReadingThread* Passthrough::reading_thread() noexcept {
  if (!fs_->options.splice) return nullptr;
  try {
    return &reading_.add_this_thread();
  } catch (...) {
    return nullptr;  // out of memory
  }
}

// Also where a ring has ended: the kernel may have refused its slots and send the requests here.
void Passthrough::receive_from_device(bool is_first) noexcept {
  fuse_session* const session = session_.get();
  Receiver receiver(session, fs_->writes, reading_thread());
  bool tells_the_others = is_first;
  while (::fuse_session_exited(session) == 0) {
    const int size = receiver.receive();
    if (size == -EINTR || size == -EAGAIN) continue;
    if (size <= 0) break;  // 0: unmounted
    if (served_ != nullptr) std::atomic_ref(served_->taken)++;
    receiver.process();
    if (std::exchange(tells_the_others, false)) let_all_receive();
    if (served_ != nullptr) std::atomic_ref(served_->done)++;
    if (fs_->near_descriptor_limit()) fs_->shortage.notify();
  }
  if (tells_the_others) let_all_receive();  // it ends without a request; so do they
}

// Runs in a thread of its own. The kernel locks the parent directory for this, and may hold that
// lock for a request that waits for a worker.
void Passthrough::make_kernel_forget() noexcept {
  ::pthread_setname_np(::pthread_self(), "zctrace-forget");
  while (fs_->shortage.wait([this] { return fs_->near_descriptor_limit(); })) {
    const std::size_t before = fs_->inodes.forgotten();
    try {
      for (const CachedName& name : fs_->names_to_forget()) {
        if (::fuse_session_exited(session_.get()) != 0) break;
        ::fuse_lowlevel_notify_inval_entry(session_.get(), name.parent, name.name.c_str(),
                                           name.name.size());
      }
    } catch (...) {
      // Out of memory for a name: tried again at the next request.
    }
    // The kernel's forgets arrive as requests a moment later. Inodes in use are not forgotten at
    // all.
    fs_->shortage.pause(kForgetPause);
    if (fs_->inodes.forgotten() == before) fs_->shortage.pause(kFutilePause);
  }
}

Unmounted Passthrough::unmount() {
  if (!mounted_) return Unmounted::yes;
  const Unmounted unmounted =
      zctrace::fuse::unmount(directory_.get(), mount_, [this] { return is_connected(); });
  mounted_ = unmounted == Unmounted::covered;
  return unmounted;
}

// The kernel keeps the connection while a process uses the mount, also a detached one.
bool Passthrough::is_connected() const noexcept {
  pollfd device = {::fuse_session_fd(session_.get()), 0, 0};
  return ::poll(&device, 1, 0) >= 0 && (device.revents & POLLERR) == 0;
}

bool Passthrough::device_is_empty() const {
  pollfd device = {::fuse_session_fd(session_.get()), POLLIN, 0};
  if (::poll(&device, 1, 0) != 0) return false;
  char text[128];
  const ssize_t length = TaskSyscallFile().read(fs_->proc.get(), first_worker_, text, sizeof(text));
  const std::string call = std::to_string(SYS_read) + " ";
  return std::string_view(text, static_cast<std::size_t>(std::max<ssize_t>(length, 0)))
      .starts_with(call);
}

void Passthrough::stop() noexcept {
  open_gate();
  fs_->shortage.stop();
  // It ends while the workers still serve: it may wait for a directory whose user waits for an
  // answer.
  using Clock = std::chrono::steady_clock;
  const auto patience = Clock::now() + kEndPatience;
  while (!forgetter_ended_ && Clock::now() < patience) ::usleep(1000);
  ::fuse_session_exit(session_.get());
  // Repeated, because a signal that arrives between a worker's check of the session and its read
  // would be lost.
  bool connected = true;
  for (const auto begin = Clock::now(); serving_ != 0 || !forgetter_ended_; ::usleep(1000)) {
    for (std::thread& worker : workers_) ::pthread_kill(worker.native_handle(), kWakeSignal);
    // A worker may wait for a process that waits for a request that is no longer served.
    if (connected && Clock::now() >= begin + kEndPatience) connected = !break_connection();
    // Or for the source, which may be another user's file system, or a server that is gone.
    stuck_ = Clock::now() >= begin + 2 * kEndPatience;
    if (stuck_) return;
  }
  if (forgetter_.joinable()) forgetter_.join();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  fs_->lock_waiters.stop();
  for (const auto& ring : rings_) ring->commit_after_close();
  close_session();
}

// Replaces the device by a broken pipe. Tasks that wait for an answer get an error, and code that
// uses the descriptor's number finds no other file behind it.
bool Passthrough::break_connection() noexcept {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  const Descriptor writer(ends[1]);
  ::close(ends[0]);
  // A command that is in flight would keep the device open.
  for (const auto& ring : rings_) ring->cut(writer.get());
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
    unmount();
  } catch (...) {
    // The watcher unmounts.
  }
  if (session_ && !stuck_) stop();
  if (stuck_) ::_exit(kExitFailed);
}

}  // namespace zctrace::fuse
