// SPDX-License-Identifier: MIT
// The io_uring by which one thread receives requests and gives replies.
#pragma once

#include <liburing.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "collector/fuse/ring/ring_slot.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// How the ring is set up: a command needs an entry of 128 bytes; the rest is in request_ring.cpp.
constexpr unsigned kRingSetup =
    IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;

// The queues from which one of `workers` threads takes requests. The kernel has a queue for each
// possible CPU, and each needs at least one thread.
std::vector<std::uint16_t> queues_of(std::size_t worker, std::size_t workers, std::size_t queues);
// How many threads take requests from the queue that has the fewest.
std::size_t threads_of_each_queue(std::size_t workers, std::size_t queues);
std::size_t possible_cpus();

// Owns the ring and its slots: one in each of its queues, and one more for each request that waits
// for its reply. All functions belong to the thread that calls open(), unless they say otherwise.
class RequestRing final : public SlotOwner {
 public:
  // `device`: the session's /dev/fuse.
  RequestRing(int device, std::vector<std::uint16_t> queues);
  RequestRing(const RequestRing&) = delete;
  RequestRing& operator=(const RequestRing&) = delete;
  ~RequestRing();

  // Makes the ring and its slots. Returns 0 or an errno.
  int open(std::size_t payload_bytes) noexcept;
  // Gives the kernel the slots and the replies that there are and waits for a request: one
  // io_uring_enter. FUSE_INIT must have been answered. Null after a signal, and once ended().
  RingSlot* next() noexcept;
  // The slot's reply is given to the kernel by the next next().
  void answered(RingSlot& slot) noexcept;
  // The slot's reply comes later; another slot takes its place.
  void deferred(RingSlot& slot) noexcept;
  // Whether no request can come any more, because the connection has ended or the kernel refused
  // the slots.
  bool ended() const { return ended_; }
  bool may_hold_up_others() const noexcept override { return in_kernel_ != 0; }
  // Gives the kernel the replies that there are, and takes all slots back.
  void close() noexcept;

  void answered_later(RingSlot& slot) noexcept override;  // by any thread
  // Gives the kernel, from another ring, the replies that came after close(). Any thread may call,
  // once.
  void commit_after_close() noexcept;
  // Ends the use of the ring although its thread is stuck. Any thread may call.
  void cut(int closed_pipe) noexcept;

 private:
  RingSlot& add_slot(std::uint16_t queue);
  io_uring_sqe* entry() noexcept;
  std::size_t& free_slots_of(std::uint16_t queue) noexcept;
  void command(RingSlot& slot, std::uint32_t operation) noexcept;
  void send_token(const RingSlot& slot) noexcept;
  void watch_event() noexcept;
  RingSlot* take_answered() noexcept;
  void commit_answered() noexcept;
  RingSlot* completed(RingSlot& slot, int result) noexcept;

  const int device_;
  const std::vector<std::uint16_t> queues_;
  std::size_t payload_bytes_ = 0;
  std::vector<std::unique_ptr<RingSlot>> slots_;
  io_uring ring_ = {};
  std::atomic<int> ring_fd_{-1};
  std::size_t in_kernel_ = 0;            // slots that wait for a request
  std::vector<std::size_t> free_slots_;  // the same for each of queues_
  bool ended_ = false;

  Descriptor event_;  // readable when another thread has answered
  bool event_is_watched_ = false;
  std::uint64_t event_count_ = 0;
  std::mutex mutex_;
  RingSlot* answered_ = nullptr;  // by other threads; a list
};

}  // namespace zctrace::fuse
