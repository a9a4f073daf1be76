// SPDX-License-Identifier: MIT
// The memory through which one request at a time comes by io_uring, and its reply goes.
//
// libfuse has no argument for the place of a reply. So the serving thread says which slot it
// serves, and the function that libfuse calls to write a reply asks for it.
#pragma once

#include <sys/uio.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "collector/fuse/ring/kernel_ring.h"

namespace zctrace::fuse {

class RingSlot;

// What gives the kernel the replies of its slots.
class SlotOwner {
 public:
  // The slot has its reply. Called by the thread that gave it, which need not be the owner's.
  virtual void answered_later(RingSlot& slot) noexcept = 0;
  // Whether another request may wait until the thread has served the one that it serves.
  virtual bool may_hold_up_others() const noexcept = 0;

 protected:
  ~SlotOwner() = default;
};

// Owns the memory. One thread at a time uses it.
class RingSlot {
 public:
  // `payload_bytes`: at least what the kernel asks for, see ring_payload(). Throws std::bad_alloc.
  RingSlot(SlotOwner& owner, std::uint16_t queue, std::size_t payload_bytes);
  ~RingSlot();
  RingSlot(const RingSlot&) = delete;
  RingSlot& operator=(const RingSlot&) = delete;

  SlotOwner& owner() const { return owner_; }
  std::uint16_t queue() const { return queue_; }
  std::uint64_t commit_id() const { return commit_id_; }
  // Whether the request only makes the kernel hand out others; see RequestRing::deferred(). Valid
  // after request().
  bool is_token() const { return opcode_ == FUSE_NOTIFY_REPLY; }
  std::uint64_t node() const { return node_; }  // that the request is about
  // The request's own number; 0 before the first.
  std::uint64_t unique() const { return unique_; }
  const iovec* areas() const { return areas_; }  // headers and payload, to register

  // The request that came, as read(2) would have delivered it. Empty if it makes no sense; then the
  // slot holds EIO as its reply.
  std::span<std::byte> request() noexcept;

  // Where the data of a reply belongs; the request's own payload is lost by writing there.
  std::span<std::byte> payload() const { return {memory_ + kHeaders, payload_bytes_}; }
  // Takes what writev(2) would send: the header first. Data that is in payload() already is not
  // copied. Returns the number of bytes, or -1 with errno set.
  ssize_t reply(const iovec* parts, int count) noexcept;

  // Replies without data: 0, or a positive errno.
  void answer(int error) noexcept;

  RingSlot* next = nullptr;  // for lists of the owner

 private:
  static constexpr std::size_t kHeaders = 4096;  // before the payload

  RingHeaders& headers() const { return *reinterpret_cast<RingHeaders*>(memory_); }

  SlotOwner& owner_;
  const std::uint16_t queue_;
  const std::size_t payload_bytes_;
  std::byte* memory_;
  iovec areas_[2];
  std::uint64_t commit_id_ = 0;
  std::uint64_t unique_ = 0;
  std::uint64_t node_ = 0;
  std::uint32_t opcode_ = 0;
};

// The smallest payload that the kernel accepts, for the largest write that was agreed on.
std::size_t ring_payload(std::size_t max_write);

// From here on the calling thread serves this slot's request.
void begin_serving(RingSlot& slot) noexcept;
// Whether the slot has its reply. If not, the reply was deferred, and the slot's owner will hear of
// it.
bool end_serving() noexcept;
// The slot that the calling thread serves, or null.
RingSlot* served_slot() noexcept;
// Whether requests that no other thread can take may wait for the calling thread. Then it must not
// wait for a process that may wait for one of them.
bool others_wait_for_this_thread() noexcept;

// The request that the calling thread serves is answered later, by any thread. Does nothing if the
// request did not come by io_uring. Throws std::bad_alloc; then nothing has changed.
void defer_reply();

// Replies to the request `unique` if it came by io_uring: true, and `result` is that of
// RingSlot::reply().
bool reply_by_ring(std::uint64_t unique, const iovec* parts, int count, ssize_t& result) noexcept;

}  // namespace zctrace::fuse
