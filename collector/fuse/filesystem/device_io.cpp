// SPDX-License-Identifier: MIT
// Reads requests from /dev/fuse and writes replies to it. A reply begins with struct
// fuse_out_header, which is part of the kernel's interface.
#include "collector/fuse/filesystem/device_io.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <utility>

#include "collector/fuse/ring/ring_slot.h"

namespace zctrace::fuse {
namespace {

thread_local LastReply reply;
thread_local const std::function<void()>* before_reply = nullptr;
thread_local std::uint64_t kernel_flags = 0;
thread_local std::uint64_t init_flags = 0;
thread_local std::int32_t backing_file = 0;

// Of linux/fuse.h, since Linux 6.9; and the field of fuse_init_out that follows flags2.
constexpr std::uint32_t kOpenPassthrough = 1 << 7;
constexpr std::uint32_t kMostStackDepth = 2;  // the kernel's own limit, FILESYSTEM_MAX_STACK_DEPTH

// Everything that a thread does before a reply happens before everything that another thread does
// after a request that came later, for example on the same file handle. The kernel guarantees this
// order; this variable expresses it in C++ terms (and to the thread sanitizer).
std::atomic<std::uint64_t> handed_over{0};

void before_any_reply() {
  if (before_reply != nullptr) {
    (*before_reply)();
    before_reply = nullptr;
  }
  handed_over.fetch_add(1, std::memory_order_release);
}

// `answer` is the reply to FUSE_INIT as libfuse built it.
void add_init_flags(const iovec& answer) {
  if (init_flags == 0 || answer.iov_len < sizeof(fuse_init_out)) return;
  auto& out = *static_cast<fuse_init_out*>(answer.iov_base);
  out.flags |= static_cast<std::uint32_t>(init_flags);
  if (const auto high = static_cast<std::uint32_t>(init_flags >> 32); high != 0) {
    out.flags |= FUSE_INIT_EXT;
    out.flags2 |= high;
  }
  if ((init_flags & kPassthroughFlag) != 0) out.unused[0] = kMostStackDepth;
  init_flags = 0;
}

// `answer` ends with struct fuse_open_out, in replies to open and to create.
void add_backing_file(const iovec& answer) {
  const std::int32_t id = std::exchange(backing_file, 0);
  if (id == 0 || answer.iov_len < sizeof(fuse_open_out)) return;
  auto* const end = static_cast<std::byte*>(answer.iov_base) + answer.iov_len;
  fuse_open_out out;
  std::memcpy(&out, end - sizeof(out), sizeof(out));
  // What else libfuse sets is about caches that the kernel then has no use for, and refuses.
  out.open_flags = kOpenPassthrough;
  static_assert(sizeof(out.padding) == sizeof(id));
  std::memcpy(&out.padding, &id, sizeof(id));
  std::memcpy(end - sizeof(out), &out, sizeof(out));
}

void note_offer(const void* request, ssize_t size) {
  constexpr std::size_t kNeeded = sizeof(fuse_in_header) + offsetof(fuse_init_in, unused);
  if (size < static_cast<ssize_t>(kNeeded)) return;
  if (static_cast<const fuse_in_header*>(request)->opcode != FUSE_INIT) return;
  fuse_init_in in;
  std::memcpy(&in, static_cast<const std::byte*>(request) + sizeof(fuse_in_header),
              kNeeded - sizeof(fuse_in_header));
  kernel_flags = in.flags;
  if ((in.flags & FUSE_INIT_EXT) != 0) kernel_flags |= std::uint64_t{in.flags2} << 32;
}

std::atomic<std::uint64_t> requests{0};
std::atomic<std::uint64_t> writes{0};
std::atomic<std::uint64_t> splices{0};
std::atomic<std::uint64_t> ring_requests{0};
std::atomic<std::uint64_t> ring_request_bytes{0};
std::atomic<std::uint64_t> ring_replies{0};
std::atomic<std::uint64_t> ring_reply_bytes{0};

// Call it after an attempt to receive a request. `n` is the result of the call, and is returned.
ssize_t taken(ssize_t n) {
  if (n <= 0) return n;
  static_cast<void>(handed_over.load(std::memory_order_acquire));
  requests.fetch_add(1, std::memory_order_relaxed);
  return n;
}

std::uint64_t payload(ssize_t written) {
  const auto size = static_cast<std::uint64_t>(written);
  return size > sizeof(fuse_out_header) ? size - sizeof(fuse_out_header) : 0;
}

ssize_t write_reply(int fd, iovec* parts, int count, void*) {
  before_any_reply();
  if (count > 1) {
    add_init_flags(parts[1]);
    add_backing_file(parts[1]);
  }
  if (count < 1 || parts[0].iov_len < sizeof(fuse_out_header)) return ::writev(fd, parts, count);
  const auto* header = static_cast<const fuse_out_header*>(parts[0].iov_base);
  ssize_t n;
  if (reply_by_ring(header->unique, parts, count, n)) {
    ring_replies.fetch_add(1, std::memory_order_relaxed);
    if (n > 0) ring_reply_bytes.fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
  } else {
    n = ::writev(fd, parts, count);
    writes.fetch_add(1, std::memory_order_relaxed);
  }
  if (n < 0) return n;
  reply = {false, -header->error, payload(n)};
  return n;
}

ssize_t splice_reply(int from, off_t* from_at, int to, off_t* to_at, size_t length, unsigned flags,
                     void*) {
  before_any_reply();
  const ssize_t n = ::splice(from, from_at, to, to_at, length, flags);
  splices.fetch_add(1, std::memory_order_relaxed);
  if (n > 0) reply = {true, 0, payload(n)};
  return n;
}

ssize_t read_request(int fd, void* buffer, size_t size, void*) {
  const ssize_t n = taken(::read(fd, buffer, size));
  note_offer(buffer, n);
  return n;
}

ssize_t splice_request(int from, off_t* from_at, int to, off_t* to_at, size_t length,
                       unsigned flags, void*) {
  return taken(::splice(from, from_at, to, to_at, length, flags));
}

}  // namespace

void expect_reply(const std::function<void()>& before) noexcept {
  reply = {};
  before_reply = &before;
}

std::uint64_t offered_flags() noexcept { return kernel_flags; }

void negotiate_also(std::uint64_t flags) noexcept { init_flags |= flags; }

void reply_with_backing_file(std::int32_t id) noexcept { backing_file = id; }

LastReply last_reply() noexcept {
  before_reply = nullptr;  // in case no reply was sent
  return reply;
}

const fuse_custom_io& device_io() noexcept {
  static const fuse_custom_io io = {write_reply, read_request, splice_request, splice_reply};
  return io;
}

void note_ring_request(std::size_t size) noexcept {
  taken(1);
  ring_requests.fetch_add(1, std::memory_order_relaxed);
  ring_request_bytes.fetch_add(size, std::memory_order_relaxed);
}

RingTraffic& RingTraffic::operator-=(const RingTraffic& earlier) {
  requests -= earlier.requests;
  request_bytes -= earlier.request_bytes;
  replies -= earlier.replies;
  reply_bytes -= earlier.reply_bytes;
  return *this;
}

RingTraffic ring_traffic() noexcept {
  return {ring_requests.load(std::memory_order_relaxed),
          ring_request_bytes.load(std::memory_order_relaxed),
          ring_replies.load(std::memory_order_relaxed),
          ring_reply_bytes.load(std::memory_order_relaxed)};
}

DeviceCalls device_calls() noexcept {
  return {requests.load(std::memory_order_relaxed), writes.load(std::memory_order_relaxed),
          splices.load(std::memory_order_relaxed)};
}

}  // namespace zctrace::fuse
