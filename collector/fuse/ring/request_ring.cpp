// SPDX-License-Identifier: MIT
// The kernel copies a request into a slot, and a reply out of it, in the task that owns the ring
// and only inside io_uring_enter (IORING_SETUP_DEFER_TASKRUN): a thread that waits for the source
// is not interrupted.
#include "collector/fuse/ring/request_ring.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace zctrace::fuse {
namespace {

constexpr unsigned kEntries = 64;
// Of linux/io_uring.h, since Linux 5.19.
constexpr std::uint8_t kUringCommand = IORING_OP_URING_CMD;

// Even, as all numbers of requests, and beyond those of the kernel.
std::uint64_t next_token() {
  static std::atomic<std::uint64_t> last{std::uint64_t{1} << 62};
  return last += 2;
}

bool is_end(int error) {
  return error == ENOTCONN || error == ECONNABORTED || error == ECANCELED || error == ENODEV;
}

}  // namespace

std::vector<std::uint16_t> queues_of(std::size_t worker, std::size_t workers, std::size_t queues) {
  if (workers >= queues) return {static_cast<std::uint16_t>(worker % queues)};
  std::vector<std::uint16_t> own;
  for (std::size_t queue = worker; queue < queues; queue += workers)
    own.push_back(static_cast<std::uint16_t>(queue));
  return own;
}

std::size_t threads_of_each_queue(std::size_t workers, std::size_t queues) {
  return std::max<std::size_t>(workers / queues, 1);
}

std::size_t possible_cpus() {
  return static_cast<std::size_t>(std::max(::sysconf(_SC_NPROCESSORS_CONF), 1L));
}

RequestRing::RequestRing(int device, std::vector<std::uint16_t> queues)
    : device_(device), queues_(std::move(queues)), free_slots_(queues_.size()) {}

RequestRing::~RequestRing() { close(); }

int RequestRing::open(std::size_t payload_bytes) noexcept {
  payload_bytes_ = payload_bytes;
  event_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!event_) return errno;
  if (const int error = ::io_uring_queue_init(kEntries, &ring_, kRingSetup); error != 0)
    return -error;
  ring_fd_ = ring_.ring_fd;
  try {
    for (const std::uint16_t queue : queues_) command(add_slot(queue), kRegister);
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  return 0;
}

RingSlot& RequestRing::add_slot(std::uint16_t queue) {
  return *slots_.emplace_back(std::make_unique<RingSlot>(*this, queue, payload_bytes_));
}

io_uring_sqe* RequestRing::entry() noexcept {
  for (;;) {
    if (io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_); entry != nullptr) return entry;
    ::io_uring_submit(&ring_);
  }
}

std::size_t& RequestRing::free_slots_of(std::uint16_t queue) noexcept {
  return free_slots_[static_cast<std::size_t>(std::ranges::find(queues_, queue) - queues_.begin())];
}

void RequestRing::command(RingSlot& slot, std::uint32_t operation) noexcept {
  io_uring_sqe* const to = entry();
  std::memset(to, 0, 2 * sizeof(*to));
  to->opcode = kUringCommand;
  to->fd = device_;
  to->cmd_op = operation;
  to->user_data = reinterpret_cast<std::uintptr_t>(&slot);
  if (operation == kRegister) {
    to->addr = reinterpret_cast<std::uintptr_t>(slot.areas());
    to->len = 2;
  }
  const RingCommand what = {0, operation == kRegister ? 0 : slot.commit_id(), slot.queue(), {}};
  std::memcpy(to->cmd, &what, sizeof(what));
  ++in_kernel_;
  ++free_slots_of(slot.queue());
}

RingSlot* RequestRing::completed(RingSlot& slot, int result) noexcept {
  --in_kernel_;
  --free_slots_of(slot.queue());
  if (result >= 0) return &slot;
  // The request is gone, and with it what the kernel knows of the slot.
  if (result == -ENOENT) {
    command(slot, kRegister);
  } else {
    ended_ = ended_ || is_end(-result) || in_kernel_ == 0;
  }
  return nullptr;
}

RingSlot* RequestRing::next() noexcept {
  while (!ended_) {
    const int result = ::io_uring_submit_and_wait(&ring_, 1);
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) ended_ = true;
    io_uring_cqe* completion = nullptr;
    if (::io_uring_peek_cqe(&ring_, &completion) != 0 || completion == nullptr) return nullptr;
    const int outcome = completion->res;
    auto* const slot =
        reinterpret_cast<RingSlot*>(static_cast<std::uintptr_t>(completion->user_data));
    ::io_uring_cqe_seen(&ring_, completion);
    if (slot == nullptr) {
      event_is_watched_ = false;
      watch_event();
      commit_answered();
    } else if (RingSlot* const request = completed(*slot, outcome)) {
      return request;
    }
  }
  return nullptr;
}

void RequestRing::answered(RingSlot& slot) noexcept { command(slot, kCommitAndFetch); }

void RequestRing::deferred(RingSlot& slot) noexcept {
  watch_event();
  if (free_slots_of(slot.queue()) != 0) return;
  try {
    command(add_slot(slot.queue()), kRegister);
    ::io_uring_submit(&ring_);
    send_token(slot);
  } catch (const std::bad_alloc&) {
    // Until the reply, the queue's other threads serve its requests, if it has any.
  }
}

// A request that found no slot is handed out with the next reply in its queue, and not to a slot
// that is registered (Linux 6.18: fuse_uring_do_register()). If all other slots wait for locks,
// there is no such reply. So this makes the kernel send a request that nothing waits for: it asks
// for no cached pages of the locked file. The queue is that of the CPU from which it asks.
void RequestRing::send_token(const RingSlot& slot) noexcept {
  struct {
    fuse_out_header header;
    fuse_notify_retrieve_out what;
  } question = {{sizeof(question), FUSE_NOTIFY_RETRIEVE, 0}, {next_token(), slot.node(), 0, 0, 0}};
  cpu_set_t before;
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  CPU_SET(slot.queue(), &wanted);
  const bool pinned = ::sched_getaffinity(0, sizeof(before), &before) == 0 &&
                      ::sched_setaffinity(0, sizeof(wanted), &wanted) == 0;
  static_cast<void>(!::write(device_, &question, sizeof(question)));
  if (pinned) ::sched_setaffinity(0, sizeof(before), &before);
}

void RequestRing::watch_event() noexcept {
  if (std::exchange(event_is_watched_, true)) return;
  io_uring_sqe* const to = entry();
  std::memset(to, 0, 2 * sizeof(*to));
  ::io_uring_prep_read(to, event_.get(), &event_count_, sizeof(event_count_), 0);
  to->user_data = 0;
}

void RequestRing::answered_later(RingSlot& slot) noexcept {
  {
    const std::lock_guard lock(mutex_);
    slot.next = std::exchange(answered_, &slot);
  }
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event_.get(), &one, sizeof(one)));  // at most it is readable already
}

RingSlot* RequestRing::take_answered() noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(answered_, nullptr);
}

void RequestRing::commit_answered() noexcept {
  for (RingSlot* slot = take_answered(); slot != nullptr;) {
    RingSlot* const next = std::exchange(slot->next, nullptr);
    command(*slot, kCommitAndFetch);
    slot = next;
  }
}

void RequestRing::close() noexcept {
  if (ring_fd_.exchange(-1) < 0) return;
  if (!ended_) ::io_uring_submit(&ring_);
  ::io_uring_queue_exit(&ring_);
}

// The kernel finds a request by its queue and its number, whichever ring names them.
void RequestRing::commit_after_close() noexcept {
  RingSlot* slot = take_answered();
  if (slot == nullptr || ring_fd_ >= 0) return;
  if (::io_uring_queue_init(kEntries, &ring_, IORING_SETUP_SQE128) != 0) return;
  ring_fd_ = ring_.ring_fd;
  for (; slot != nullptr; slot = slot->next) command(*slot, kCommitAndFetch);
  close();
}

void RequestRing::cut(int closed_pipe) noexcept {
  if (const int fd = ring_fd_; fd >= 0) ::dup3(closed_pipe, fd, O_CLOEXEC);
}

}  // namespace zctrace::fuse
