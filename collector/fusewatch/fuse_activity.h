// SPDX-License-Identifier: MIT
// What `zctrace fuse` reports: plain values, no I/O. Times are nanoseconds, sizes bytes.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/model/histogram.h"
#include "collector/model/report.h"

namespace zctrace::fusewatch {

// Sums that an operation and a requester share. They only grow, so an interval is a difference.
struct RequestSums {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;   // by the server, or by the kernel if there is none
  std::uint64_t withdrawn = 0;  // never seen by the server: the requester was killed first
  std::uint64_t errors = 0;     // of the answered
  std::uint64_t wall_ns = 0;    // from being sent to being answered; of the timed
};

// One opcode of one connection.
struct OpcodeCounts : RequestSums {
  // Of the answered: those that were seen when they were sent. Others were sent before zctrace
  // watched, or over io_uring in the background.
  std::uint64_t timed = 0;
  std::uint64_t background = 0;  // of the sent: no process waits for the answer
  std::uint64_t bytes = 0;       // of files: what read, write and copy_file_range moved
  std::uint64_t request_bytes = 0;
  std::uint64_t reply_bytes = 0;
  std::uint64_t max_ns = 0;
  bool max_is_bound = false;  // of an interval: max_ns is an upper bound
  Histogram latency;
  // By errno. A server may use more numbers than are counted apart; `errors` has them all.
  std::map<unsigned, std::uint64_t> errors_by;
  // At the moment of the report.
  std::uint64_t in_flight = 0;
  std::uint64_t oldest_ns = 0;  // how long the oldest of them has been waiting
};

enum class RequesterKind : std::uint8_t {
  process,
  kernel,   // writes pages back, releases files
  unknown,  // had ended, or is in a PID namespace of its own
  others,   // processes that found no space, or have ended and sent the fewest requests
};

std::string_view requester_kind_name(RequesterKind kind);

// Its start in ns since boot, and its number outside of all PID namespaces. For
// requesters that are not processes, the start is a value of enum zc_fuse_special.
struct RequesterId {
  std::uint64_t start_ns = 0;
  std::uint32_t process = 0;

  auto operator<=>(const RequesterId&) const = default;
};

struct RequesterCounts : RequestSums {
  RequesterKind kind = RequesterKind::process;
  std::uint32_t pid = 0;  // in zctrace's PID namespace; 0: none there
  std::string name;       // untrusted
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t max_ns = 0;                          // since the start, in an interval as well
  std::map<std::uint32_t, std::uint64_t> by_opcode;  // answered; 0: all opcodes above 63
  std::uint64_t in_flight = 0;
  bool ended = false;
};

struct FuseConnection {
  std::string device;                     // "0:57"; "" is a character device (CUSE)
  std::vector<std::string> mount_points;  // untrusted; empty: not mounted where zctrace can see it
  std::string type;                       // "fuse.sshfs", "virtiofs"; untrusted
  std::uint32_t user = 0;                 // that mounted it
  std::uint32_t server_pid = 0;           // 0: the kernel (virtiofs), or not known
  std::string server_name;                // untrusted
  bool began = false;                     // it was mounted while zctrace watched
  bool gone = false;                      // it has been idle and without a mount point since
  std::uint64_t sent = 0;
  std::uint64_t waiting_sum = 0;  // over all sent: how many had no answer yet, itself included
  std::uint32_t waiting_max = 0;  // since the start, like all that follow
  std::uint32_t background_max = 0;
  std::uint32_t background_limit = 0;
  std::map<std::uint32_t, OpcodeCounts> operations;  // by opcode
  std::map<RequesterId, RequesterCounts> requesters;

  OpcodeCounts total() const;
  bool is_idle() const;  // nothing was sent or answered, and nothing waits
};

struct WatchLosses {
  std::uint64_t connection_requests = 0;  // of connections that found no space: not counted
  std::uint64_t operation_requests = 0;   // of opcodes that found no space: not counted
  std::uint64_t flights = 0;              // counted, but without a time and a process
  std::uint64_t unnamed = 0;              // counted, but among `others`
  std::uint64_t missed_runs = 0;          // of the programs

  bool none() const {
    return (connection_requests | operation_requests | flights | unnamed | missed_runs) == 0;
  }
};

// By an id that no other connection ever has.
using FuseConnections = std::map<std::uint32_t, FuseConnection>;

struct FuseActivity {
  Host host;
  std::vector<std::string> argv;  // of zctrace
  std::string started_at;         // RFC 3339
  std::uint64_t duration_ns = 0;
  std::optional<std::string> mount;  // the one that was asked for; untrusted
  FuseConnections connections;
  std::vector<std::string> idle_mounts;  // mount points of others that sent no request; untrusted
  // Connections that have ended and are not listed, and what they sent.
  std::uint64_t left_out_connections = 0;
  std::uint64_t left_out_requests = 0;
  WatchLosses losses;
};

// What happened between two moments. Figures that are no sums are those of `now`.
FuseConnections difference(const FuseConnections& now, const FuseConnections& before);
WatchLosses difference(const WatchLosses& now, const WatchLosses& before);
void add(RequesterCounts& sum, const RequesterCounts& more);

}  // namespace zctrace::fusewatch
