// SPDX-License-Identifier: MIT
// A run whose command sees a directory through the passthrough.
#pragma once

#include <string>

#include "collector/fuse/mount/private_mount.h"
#include "collector/fuse/report/fuse_report.h"
#include "collector/observe/observed_run.h"

namespace zctrace::fuse {

// Owns the mount, which only the command and its descendants see.
class MountedRun : public RunCompanion {
 public:
  // Throws Error.
  explicit MountedRun(const std::string& directory) : mount_(directory) {}

  int enter() const noexcept override { return mount_.enter(); }
  void serve(Session& session) override;
  void command_starts() override;
  void command_ended() override;
  void add_to(Report& report, const Session& session) override;

  // See Passthrough::has_stuck_threads().
  bool has_stuck_threads() const { return mount_.has_stuck_threads(); }

 private:
  PrivateMount mount_;
  std::size_t threads_ = 0;
  MountSnapshot before_;
};

}  // namespace zctrace::fuse
