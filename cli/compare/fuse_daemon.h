// SPDX-License-Identifier: MIT
// The FUSE daemon that `compare` puts on the way of the bytes: a process of its own, which serves
// one mount, is observed like the client, and can be waited for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "cli/compare/fuse_mode.h"
#include "collector/fuse/counts/usage.h"
#include "collector/fuse/filesystem/device_io.h"
#include "collector/fuse/mount/detached_mount.h"
#include "collector/os/child.h"
#include "collector/os/descriptor.h"
#include "transfers/shared_record.h"

namespace zctrace {

// What the daemon has done since it began; getrusage's times.
struct DaemonMeter {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  fuse::Usage usage;
  fuse::RingTraffic ring;

  DaemonMeter& operator-=(const DaemonMeter& earlier);
};

// Owns the mount and the daemon, a child with one thread that serves: requests are answered in
// the order in which the kernel queues them.
// Only this process can reach the mount, which disappears when this process dies. Files that are
// open in it must be closed before.
class FuseDaemon {
 public:
  // Serves the directory `root`, which the caller still owns. Forks, so no file of another daemon's
  // mount may be open here yet. Throws Error (cannot run here).
  FuseDaemon(const Descriptor& root, FuseMode mode);
  ~FuseDaemon();

  pid_t pid() const { return child_->pid(); }
  FuseMode mode() const { return mode_; }
  // The root of the mount, as a path that only this process can use.
  const std::string& directory() const { return directory_; }

  // Returns when the daemon has answered every request and every call that it made for them has
  // returned. The users of the mount must be idle meanwhile. Throws Error if the daemon died.
  void wait_until_idle() const;
  // Also waits for the requests that the kernel sends late (forget). It sends requests of its own
  // to make the kernel send them.
  void wait_until_forgets_are_done();
  // Throws Error if the daemon died: other errors are then only a consequence.
  void require_alive() const;
  // Makes the daemon read its own clocks. Must not run while the daemon's calls are counted.
  void reset_meter() { start_ = meter(); }
  // Since then; the same holds.
  DaemonMeter used();

 private:
  struct Record;

  FuseDaemon(const Descriptor& root, FuseMode mode, Descriptor device);
  static void serve(int root, int device, int questions, FuseMode mode, Record& record);
  void ask(char question);
  DaemonMeter meter();
  bool exited() const;
  [[noreturn]] void throw_dead() const;
  // Sleeps for a moment. Throws as require_alive() does.
  void pause() const;

  FuseMode mode_;
  Descriptor mount_;
  fuse::ConnectionQueue outstanding_;
  std::string directory_;
  Descriptor questions_;  // one byte each; closing it ends the daemon
  std::uint64_t asked_ = 0;
  DaemonMeter start_;
  std::unique_ptr<transfers::SharedRecord<Record>> record_;
  std::unique_ptr<Child> child_;
};

}  // namespace zctrace
