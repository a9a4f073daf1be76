// SPDX-License-Identifier: MIT
// The daemon's own reads and writes of /dev/fuse, counted where they happen. A reply to a request
// that came by io_uring goes into the slot of that request.
//
// The way of a read request has one odd turn. libfuse calls write_reply() or splice_reply() from
// inside fuse_reply_data(), and offers no argument of our own there. So expect_reply() leaves a
// callback in a thread_local variable, the reply function calls it just before it hands the bytes
// to the kernel, and the callback finds the cause of the read. last_reply() then returns what the
// reply function noted.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace zctrace::fuse {

// How the calling thread's last reply went to the kernel.
struct LastReply {
  bool spliced = false;
  int error = 0;            // the errno in the reply, positive
  std::uint64_t bytes = 0;  // without fuse_out_header
};

// FUSE_PASSTHROUGH of linux/fuse.h: the kernel may read and write files itself.
constexpr std::uint64_t kPassthroughFlag = std::uint64_t{1} << 37;

// Call these in init(). The flags of fuse_init_in that the kernel offers, those of flags2 above the
// others; libfuse 3.14 does not know all of them.
std::uint64_t offered_flags() noexcept;
// Adds flags of fuse_init_out to the next reply of this thread. libfuse 3.14 accepts
// FUSE_CAP_HANDLE_KILLPRIV, but does not pass it on to the kernel.
void negotiate_also(std::uint64_t flags) noexcept;

// Call it before a reply to open or create: the kernel is to read and write the file by this
// backing file. 0 means that the daemon does, as without this call.
void reply_with_backing_file(std::int32_t id) noexcept;

// Call it before a reply that last_reply() is to describe. `before` runs when the reply's bytes are
// ready and the reply is about to be sent. It must outlive the reply, and must not throw.
void expect_reply(const std::function<void()>& before) noexcept;
LastReply last_reply() noexcept;

// For fuse_session_custom_io(): plain read, writev and splice that note what they did. libfuse
// decides by itself whether it splices a reply, and does not report it.
const fuse_custom_io& device_io() noexcept;

// A request of `size` bytes came by io_uring: the calling thread is about to serve it.
void note_ring_request(std::size_t size) noexcept;

// What all threads exchanged with the kernel since the program started.
struct DeviceCalls {
  std::uint64_t requests = 0;  // received by read, splice or io_uring
  std::uint64_t writes = 0;    // replies written
  std::uint64_t splices = 0;   // replies spliced
};
DeviceCalls device_calls() noexcept;

// What all threads exchanged by io_uring, in bytes that read and write would have moved: with their
// headers.
struct RingTraffic {
  std::uint64_t requests = 0;
  std::uint64_t request_bytes = 0;
  std::uint64_t replies = 0;
  std::uint64_t reply_bytes = 0;

  RingTraffic& operator-=(const RingTraffic& earlier);
};
RingTraffic ring_traffic() noexcept;

}  // namespace zctrace::fuse
