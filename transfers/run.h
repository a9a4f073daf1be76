// SPDX-License-Identifier: MIT
// One run of one method, in a process of its own, into a fresh sink with its drain.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "transfers/drain.h"
#include "transfers/method.h"
#include "transfers/sink.h"
#include "transfers/source.h"

namespace zctrace::transfers {

struct TransferOptions {
  bool verify = false;  // compare checksums; costs the drain CPU time, so not in timed runs
  bool cold = false;    // drop the source from the page cache first
  std::uint64_t drain_read_bytes = 64ULL * 1024;
  bool drain_splice = false;              // ignored in a run that verifies
  std::optional<std::uint64_t> length{};  // bytes to ask for; the source's size by default
  // As soon as this descriptor is readable (a signalfd, say), the child is killed and the result
  // is ECANCELED. -1: nothing stops the run.
  int stop_fd = -1;

  // Called in this process with the child's pid while the child is blocked, before it
  // has made any thread or descriptor of the method's. If it throws, the child is killed
  // and the exception is passed on to the caller.
  std::function<void(pid_t child)> before_release{};

  // Called in this process, outside the window, while the child waits right before and right
  // after the move, so that the caller can read the counters of other processes that take part.
  // Not called when the method fails earlier. Exceptions as above.
  std::function<void()> before_move{};
  std::function<void()> after_move{};

  // Called in the child immediately before and after the move, with `window_context`.
  // They must make no syscall; they may store to shared memory that was mapped before run_once.
  void (*window_open)(void* context) = nullptr;
  void (*window_close)(void* context) = nullptr;
  void* window_context = nullptr;
};

struct RunFailure {
  int number = 0;    // errno; ECANCELED when the child or the drain was killed
  std::string text;  // "EINVAL: sendfile: Invalid argument"
};

// Times and counts are of the move alone (RUSAGE_SELF of the child, all its threads).
struct TransferResult {
  std::uint64_t moved_bytes = 0;
  std::optional<RunFailure> error{};
  std::uint64_t drained_bytes = 0;    // by all drains together; 0 without one
  std::optional<bool> checksum_ok{};  // none: not verified, or nothing to compare (null)
  std::uint64_t buffer_bytes = 0;     // each call was asked to move this much
  std::uint64_t pipe_bytes = 0;       // capacity of the intermediate pipe; 0 without one
  std::uint64_t wall_ns = 0;          // until the sender was done
  std::uint64_t drained_wall_ns = 0;  // until the last drain had everything; wall_ns without one
  // CPU time, to the nanosecond as a sum. The kernel divides it between user and system by the
  // ticks that it saw.
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  // From a device, charged to the child; nullopt where the kernel does not account it.
  std::optional<std::uint64_t> disk_read_bytes{};
  // Data that TCP handed to network devices other than a loopback, with what it sent again;
  // nullopt: not known.
  std::optional<std::uint64_t> network_bytes{};
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  // Of a program (program_run.h): from its exec until the reader had the first byte, and from there
  // until it had the last. nullopt: there is no reader, or nothing arrived.
  std::optional<std::uint64_t> startup_ns{};
  std::optional<std::uint64_t> transfer_ns{};
  std::uint64_t notifications = 0;  // see Moved
  std::uint64_t copied_notifications = 0;
};

// What the remote reader of a sink says of a run, which is over. Its own end of the connection must
// be closed. Without a drain there, nothing.
void take_remote_result(RemoteReader& reader, const Source& source, bool verify, int stop_fd,
                        TransferResult& outcome);

// Throws SetupError when source, sink or a process cannot be made. Whatever goes wrong
// in the method itself, even its death by a signal, is TransferResult::error. Blocks until the
// child and the drains have ended; all of them die with the calling thread.
TransferResult run_once(const Method& method, BufferSize buffer, const Source& source,
                        const SinkSpec& spec, const TransferOptions& options = {});

}  // namespace zctrace::transfers
