// SPDX-License-Identifier: MIT
// Watches FUSE connections from the kernel's side: loads the programs, and sums what they count.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/fusewatch/fuse_activity.h"
#include "collector/fusewatch/fuse_mounts.h"
#include "collector/fusewatch/fuse_programs.h"
#include "collector/observe/report_clock.h"

namespace zctrace::fusewatch {

struct FuseWatchOptions {
  std::optional<std::string> mount;  // a path in it; absent: every mount of the machine
  // How many ended processes of a connection are listed. Those that sent the least are summed.
  std::size_t most_ended = 1000;
  std::map<std::string, std::uint32_t> room;  // see FuseProgramOptions
};

// Owns the programs and the counts. One thread at a time. Nothing that it does sends a request to
// a file system that it watches.
class FuseWatch {
 public:
  // How often to call poll().
  static constexpr std::chrono::seconds kPollInterval{1};

  // Throws Error: not a FUSE mount, or cannot run here.
  explicit FuseWatch(const FuseWatchOptions& options);

  // Reads the counts, and frees the kernel's memory of processes and connections that have ended.
  void poll();
  // Whether the mount that was asked for is not mounted any more.
  bool is_unmounted() const { return unmounted_; }
  // How many FUSE mounts were there at the latest poll.
  std::size_t mounts() const { return mounts_.size(); }

  // Everything since the start. Both poll first.
  FuseActivity activity();
  // What happened since the latest interval, or since the start. With Ended::forget, processes and
  // connections that have ended are in no later one, nor in activity().
  enum class Ended { forget, keep };
  FuseActivity take_interval(Ended ended = Ended::forget);

 private:
  struct Idleness {
    std::uint64_t sent = 0;  // at the latest poll
    unsigned polls = 0;
  };

  void add_counts(const FuseRecords& records);
  void add_connection(const zc_fuse_connection& record);
  void add_flights(const FuseRecords& records);
  void find_withdrawn(FuseRecords& records);
  void find_mounts();
  void forget_requesters(const FuseRecords& records);
  void forget_connections(const FuseRecords& records);
  void sum_ended(std::uint32_t id, FuseConnection& connection);
  FuseActivity made_of(FuseConnections connections, const ReportClock& clock) const;
  WatchLosses losses() const;

  FuseWatchOptions options_;
  std::optional<FuseMount> mount_;
  FusePrograms programs_;
  std::vector<FuseMount> mounts_;
  std::vector<FuseMount> earlier_mounts_;  // at the poll before
  FuseConnections now_;
  FuseConnections before_;  // at the latest interval
  WatchLosses losses_before_;
  // Requests that only this side found to be withdrawn, by connection and opcode, and by requester.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> withdrawn_;
  std::map<std::pair<std::uint32_t, RequesterId>, std::uint64_t> withdrawn_by_;
  std::set<std::pair<std::uint32_t, RequesterId>> dead_;  // at the latest poll
  std::map<std::uint32_t, Idleness> idle_;
  std::deque<std::uint32_t> ended_;  // connections, in the order of their end
  std::uint64_t left_out_connections_ = 0;
  std::uint64_t left_out_requests_ = 0;
  bool unmounted_ = false;
  ReportClock clock_;
  ReportClock interval_clock_;
};

}  // namespace zctrace::fusewatch
