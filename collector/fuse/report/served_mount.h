// SPDX-License-Identifier: MIT
// A mount from the first request to the last report.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "collector/fuse/mount/passthrough.h"
#include "collector/fuse/report/fuse_report.h"
#include "collector/fuse/report/mount_session.h"
#include "collector/observe/report_clock.h"
#include "collector/os/event_loop.h"
#include "collector/os/signals.h"

namespace zctrace::fuse {

struct ServedMountOptions {
  std::string source;
  std::string target;
  PassthroughOptions passthrough;
  bool observe = false;  // count the calls of applications and of the daemon as well
};

// Owns the mount, and the BPF session beside it, if any. Drops the capabilities that neither needs
// any more.
class ServedMount {
 public:
  // Mounts, and serves from now on. Throws Error.
  explicit ServedMount(ServedMountOptions options);

  const std::string& source() const { return mount_->source(); }
  const std::string& target() const { return mount_->target(); }
  const std::vector<std::string>& not_shown() const { return mount_->not_shown(); }

  // Stops `loop` when the mount is gone, by whatever unmounted it. Until then reads the counts from
  // time to time.
  void watch_in(EventLoop& loop);
  // Throws Error.
  Unmounted unmount() { return mount_->unmount(); }
  // Gives processes that still use the mount this time to finish, unless a signal comes; then stops
  // serving.
  void stop(Signals& signals, std::chrono::milliseconds patience);
  // See Passthrough.
  bool has_stuck_threads() const { return mount_->has_stuck_threads(); }

  // What came since the latest interval, or since the mount began.
  Report take_interval();

 private:
  std::optional<MountSession> session_;
  std::optional<Passthrough> mount_;
  bool stopped_ = false;
  std::size_t threads_ = 0;  // that served; they may have ended
  ReportClock clock_;
  MountSnapshot last_;
  ObservedCalls last_calls_;
};

}  // namespace zctrace::fuse
