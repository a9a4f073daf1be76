// SPDX-License-Identifier: MIT
// The kernel's interface of FUSE over io_uring, which headers older than Linux 6.14 lack
// (struct fuse_uring_req_header and its kin in linux/fuse.h).
#pragma once

#include <linux/fuse.h>

#include <cstddef>
#include <cstdint>

namespace zctrace::fuse {

// FUSE_OVER_IO_URING, a flag of FUSE_INIT.
constexpr std::uint64_t kRingFlag = std::uint64_t{1} << 41;

// Of a command on /dev/fuse (sqe->cmd_op).
constexpr std::uint32_t kRegister = 1;        // gives the kernel memory for requests
constexpr std::uint32_t kCommitAndFetch = 2;  // gives it a reply, and the memory again

// The area for commands in an entry of 128 bytes.
struct RingCommand {
  std::uint64_t flags;
  std::uint64_t commit_id;
  std::uint16_t queue;
  std::uint8_t padding[6];
};
static_assert(sizeof(RingCommand) == 24);

// The memory beside the payload. `header` is a fuse_in_header or a fuse_out_header, `arguments` the
// structure that belongs to the request's opcode. The payload is everything else.
struct RingHeaders {
  std::byte header[128];
  std::byte arguments[128];
  std::uint64_t flags;
  std::uint64_t commit_id;
  std::uint32_t payload_bytes;
  std::uint32_t padding;
  std::uint64_t reserved;
};
static_assert(sizeof(RingHeaders) == 288);
static_assert(offsetof(RingHeaders, payload_bytes) == 272);
static_assert(sizeof(fuse_in_header) == 40);

}  // namespace zctrace::fuse
