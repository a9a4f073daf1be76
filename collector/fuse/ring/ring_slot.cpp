// SPDX-License-Identifier: MIT
// The layout of a slot: headers, then a copy of those that a request begins with, then the payload.
#include "collector/fuse/ring/ring_slot.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

namespace zctrace::fuse {
namespace {

thread_local RingSlot* current = nullptr;
thread_local bool current_is_answered = false;

// Requests whose reply comes later, by their number.
class LaterReplies {
 public:
  void add(RingSlot& slot) {
    const std::lock_guard lock(mutex_);
    slots_.emplace(slot.unique(), &slot);
    ++size_;
  }
  RingSlot* take(std::uint64_t unique) noexcept {
    if (size_ == 0) return nullptr;
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(unique);
    if (found == slots_.end()) return nullptr;
    RingSlot* const slot = found->second;
    slots_.erase(found);
    --size_;
    return slot;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, RingSlot*> slots_;
  std::atomic<std::size_t> size_{0};
};

LaterReplies& later_replies() {
  static LaterReplies all;
  return all;
}

}  // namespace

RingSlot::RingSlot(SlotOwner& owner, std::uint16_t queue, std::size_t payload_bytes)
    : owner_(owner), queue_(queue), payload_bytes_(payload_bytes) {
  void* const memory = ::mmap(nullptr, kHeaders + payload_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::byte*>(memory);
  areas_[0] = {memory_, sizeof(RingHeaders)};
  areas_[1] = {memory_ + kHeaders, payload_bytes};
}

RingSlot::~RingSlot() { ::munmap(memory_, kHeaders + payload_bytes_); }

std::span<std::byte> RingSlot::request() noexcept {
  const RingHeaders& from = headers();
  fuse_in_header header;
  std::memcpy(&header, from.header, sizeof(header));
  commit_id_ = from.commit_id;
  unique_ = header.unique;
  node_ = header.nodeid;
  opcode_ = header.opcode;
  const std::size_t payload = from.payload_bytes;
  const std::size_t rest = sizeof(header) + payload;
  if (payload > payload_bytes_ || header.len < rest || header.len - rest > sizeof(from.arguments)) {
    answer(EIO);
    return {};
  }
  const std::size_t arguments = header.len - rest;
  std::byte* const begin = memory_ + kHeaders - arguments - sizeof(header);
  std::memcpy(begin, &header, sizeof(header));
  std::memcpy(begin + sizeof(header), from.arguments, arguments);
  return {begin, header.len};
}

ssize_t RingSlot::reply(const iovec* parts, int count) noexcept {
  if (count < 1 || parts[0].iov_len != sizeof(fuse_out_header)) {
    errno = EINVAL;
    return -1;
  }
  std::size_t size = 0;
  for (int i = 1; i < count; ++i) size += parts[i].iov_len;
  if (size > payload_bytes_) {
    errno = EINVAL;
    return -1;
  }
  std::byte* to = memory_ + kHeaders;
  for (int i = 1; i < count; ++i) {
    if (parts[i].iov_base != to && parts[i].iov_len != 0)
      std::memmove(to, parts[i].iov_base, parts[i].iov_len);
    to += parts[i].iov_len;
  }
  std::memcpy(headers().header, parts[0].iov_base, sizeof(fuse_out_header));
  headers().payload_bytes = static_cast<std::uint32_t>(size);
  return static_cast<ssize_t>(sizeof(fuse_out_header) + size);
}

void RingSlot::answer(int error) noexcept {
  fuse_out_header header = {sizeof(header), -error, unique_};
  const iovec part = {&header, sizeof(header)};
  reply(&part, 1);
}

// fuse_uring_create() in the kernel: FUSE_MIN_READ_BUFFER, max_write, and whole pages.
std::size_t ring_payload(std::size_t max_write) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t pages = std::max<std::size_t>((max_write + page - 1) / page, 1);
  return std::max<std::size_t>(FUSE_MIN_READ_BUFFER, pages * page);
}

void begin_serving(RingSlot& slot) noexcept {
  current = &slot;
  current_is_answered = false;
}

bool end_serving() noexcept {
  RingSlot* const slot = std::exchange(current, nullptr);
  if (slot == nullptr) return false;
  if (!current_is_answered) slot->answer(EIO);
  return true;
}

RingSlot* served_slot() noexcept { return current; }

bool others_wait_for_this_thread() noexcept {
  return current != nullptr && current->owner().may_hold_up_others();
}

void defer_reply() {
  if (current == nullptr) return;
  later_replies().add(*current);
  current = nullptr;
}

bool reply_by_ring(std::uint64_t unique, const iovec* parts, int count, ssize_t& result) noexcept {
  if (current != nullptr && current->unique() == unique) {
    result = current->reply(parts, count);
    current_is_answered = current_is_answered || result >= 0;
    return true;
  }
  RingSlot* const later = later_replies().take(unique);
  if (later == nullptr) return false;
  result = later->reply(parts, count);
  // Without a reply in the slot the kernel would take the request for one.
  if (result < 0) later->answer(EIO);
  later->owner().answered_later(*later);
  return true;
}

}  // namespace zctrace::fuse
