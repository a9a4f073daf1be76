// SPDX-License-Identifier: MIT
// The interface of a transfer method: one way for a process to move bytes from a file to
// a sink. Everything here runs in the calling process; run.h gives each run a process of
// its own, a sink and a drain.
//
//   Workspace workspace;
//   Failure error = prepare(method, job, workspace);   // outside the measured window
//   Moved moved = method.move(job, workspace);       // inside: only the syscalls expected
//   error = finish(method, job, moved, workspace);   // outside again
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "transfers/error.h"
#include "transfers/sink.h"

namespace zctrace::transfers {

struct Workspace;

// The most that one read, write, sendfile or splice moves (MAX_RW_COUNT, 4 KiB pages).
inline constexpr std::uint64_t kMaxCallBytes = 0x7ffff000;

// How much one call is asked to move: a number of bytes, or the whole source.
struct BufferSize {
  std::optional<std::uint64_t> bytes{};  // none: whole
};
inline constexpr BufferSize kWholeSource{};

// A job. The descriptors are blocking, stay the caller's, and are used from their
// current offsets, except that mapping and positioned methods begin at offset 0.
struct Transfer {
  int in_fd = -1;
  int out_fd = -1;
  int second_out_fd = -1;          // for methods with needs.second_sink
  std::uint64_t length = 0;        // bytes to move; a source that ends earlier is not an error
  std::uint64_t buffer_bytes = 0;  // from resolve_buffer_bytes(); at least 1
};

// What a move did. A short count without an error means that the source ended early.
struct Moved {
  std::uint64_t bytes = 0;  // that the sink took; with two sinks, that each took
  Failure error{};
  // Of MSG_ZEROCOPY and SEND_ZC: completions, and how many of them said that the kernel
  // had copied after all (the loopback always copies; io_uring says so since Linux 6.2).
  std::uint64_t notifications = 0;
  std::uint64_t copied_notifications = 0;
};

enum class Provision : std::uint8_t {
  none,
  in_prepare,  // made before the window: its syscalls are not part of the method
  in_move,     // made inside the window: they are part of it
};

struct Needs {
  SinkSet sinks = kEverySink;  // where it is legal; elsewhere it reports the kernel's errno
  bool second_sink = false;
  bool takes_buffer_size = true;         // false: one call moves everything
  std::uint64_t fixed_buffer_bytes = 0;  // not 0: always this size, whatever is requested
  std::uint64_t buffer_alignment = 1;    // a whole-source buffer is rounded up to it
  unsigned buffers = 0;                  // of buffer_bytes, allocated and faulted in by prepare
  Provision pipe = Provision::none;      // between source and sink
  Provision mapping = Provision::none;   // of the source
};

// What the number of calls depends on; see docs/methods.md for the formulae.
struct Workload {
  std::uint64_t bytes = 0;
  std::uint64_t buffer_bytes = 0;
  std::uint64_t pipe_bytes = 0;  // capacity of the intermediate pipe; 0: what would be requested
  SinkKind sink = SinkKind::unix_stream;
};

inline constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

// Calls of one syscall inside the window, on a sink that the method supports and with a
// source at least as long as the job. io_uring's operations are named "io_uring:read"
// and so on, FICLONE "ioctl:FICLONE". The method calls nothing that is not listed.
struct ExpectedCalls {
  std::string_view syscall;
  std::uint64_t min = 0;
  std::uint64_t max = 0;

  bool exact() const { return min == max; }
};

struct Method {
  std::string_view name;
  std::string_view summary;
  Needs needs{};
  // Set-up beyond `needs`; may be null.
  Failure (*prepare)(const Transfer& job, Workspace& workspace) = nullptr;
  // Never falls back to another method and never allocates. Retries after EINTR and
  // completes short writes.
  Moved (*move)(const Transfer& job, Workspace& workspace) = nullptr;
  std::vector<ExpectedCalls> (*expected)(const Workload& workload) = nullptr;
  // Whether it copies every byte with its own loads and stores, which no syscall shows.
  bool copies_in_user_space = false;
};

// All methods, in the order that tables show; static storage.
std::span<const Method* const> all_methods();
const Method* find_method(std::string_view name);  // nullptr when there is none

// The buffer_bytes of a job of `length` bytes: what was asked for, unless the method has
// a size of its own.
std::uint64_t resolve_buffer_bytes(const Method& method, BufferSize asked, std::uint64_t length);

// Makes what the method needs before its window. An error is a result of this pair of
// source and sink, and is shown like one of move.
Failure prepare(const Method& method, const Transfer& job, Workspace& workspace);

// Call it after the window. EFAULT if a mapped source was truncated meanwhile, because
// write() from such a mapping delivers zero bytes to a file without any error.
Failure finish(const Method& method, const Transfer& job, const Moved& moved, Workspace& workspace);

// The actual capacity of the intermediate pipe after a move; 0 without one.
std::uint64_t intermediate_pipe_bytes(const Workspace& workspace);

}  // namespace zctrace::transfers
