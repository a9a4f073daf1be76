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

namespace zctrace::fuse {
namespace {

thread_local LastReply reply;
thread_local const std::function<void()>* before_reply = nullptr;
thread_local std::uint32_t init_flags = 0;

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
  constexpr std::size_t kNeeded = offsetof(fuse_init_out, flags) + sizeof(init_flags);
  if (init_flags == 0 || answer.iov_len < kNeeded) return;
  static_cast<fuse_init_out*>(answer.iov_base)->flags |= init_flags;
  init_flags = 0;
}

std::atomic<std::uint64_t> requests{0};
std::atomic<std::uint64_t> writes{0};
std::atomic<std::uint64_t> splices{0};

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
  if (count > 1) add_init_flags(parts[1]);
  const ssize_t n = ::writev(fd, parts, count);
  writes.fetch_add(1, std::memory_order_relaxed);
  if (n < 0 || count < 1 || parts[0].iov_len < sizeof(fuse_out_header)) return n;
  const auto* header = static_cast<const fuse_out_header*>(parts[0].iov_base);
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
  return taken(::read(fd, buffer, size));
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

void negotiate_also(std::uint32_t flags) noexcept { init_flags = flags; }

LastReply last_reply() noexcept {
  before_reply = nullptr;  // in case no reply was sent
  return reply;
}

const fuse_custom_io& device_io() noexcept {
  static const fuse_custom_io io = {write_reply, read_request, splice_request, splice_reply};
  return io;
}

DeviceCalls device_calls() noexcept {
  return {requests.load(std::memory_order_relaxed), writes.load(std::memory_order_relaxed),
          splices.load(std::memory_order_relaxed)};
}

}  // namespace zctrace::fuse
