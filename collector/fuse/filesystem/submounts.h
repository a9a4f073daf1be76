// SPDX-License-Identifier: MIT
// Decides which of the file systems that are mounted below the source the mount shows.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/os/descriptor.h"
#include "collector/os/mountinfo.h"

namespace zctrace::fuse {

// A FUSE file system of another user is not shown: its server need not answer, and each call into
// it would keep a serving thread in a wait that no signal ends. Root's file systems, those of the
// daemon's own user and those of the user who called sudo are trusted. Where the daemon reads as
// root for every user, file systems that depend on the reader are not shown either.
//
// All of this is read from /proc/self/mountinfo, because statfs(2) itself would ask the server. Any
// thread may call.
class Submounts {
 public:
  // Throws Error.
  explicit Submounts(bool for_everyone);

  // 0 or an errno for the mount with this STATX_MNT_ID, which the caller has open.
  int may_show(std::uint64_t mount);
  bool hides(const MountEntry& mount) const;

 private:
  bool has_changed() const noexcept;
  void read();

  const bool for_everyone_;
  std::vector<uid_t> trusted_;
  std::mutex mutex_;
  Descriptor mountinfo_;
  std::unordered_map<std::string, bool> hidden_;  // by mount ID
};

}  // namespace zctrace::fuse
