// SPDX-License-Identifier: MIT
// The FUSE daemon that `compare` puts on the way of the bytes: a process of its own, which serves
// one mount, is observed like the client, and can be waited for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "collector/fuse/counts/usage.h"
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

  DaemonMeter& operator-=(const DaemonMeter& earlier);
};

// Owns the mount and the daemon, a child with one thread that serves: requests are answered in
// the order in which the kernel queues them.
// Nobody else can reach the mount, and nothing is left of it when this process dies. Whatever is
// open in it must be closed first.
class FuseDaemon {
 public:
  // Shows the directory `root` (it stays the caller's). Forks: before anything of another
  // daemon's mount is open here. Throws Error (cannot run here).
  FuseDaemon(const Descriptor& root, bool splice);
  ~FuseDaemon();

  pid_t pid() const { return child_->pid(); }
  bool splice() const { return splice_; }
  // The root of the mount, as a path that this process only can use.
  const std::string& directory() const { return directory_; }

  // Returns when the daemon has answered all that was asked of it, and every call that it made
  // for that has returned. Whoever uses the mount must wait meanwhile. Throws Error when it died.
  void settle() const;
  // The same, and what the kernel asks when it comes to it (forget) is over as well; asks
  // for that something itself.
  void settle_whole() const;
  // Throws Error when it died: what then fails for others is only a consequence.
  void require_alive() const;
  // Makes the daemon look at its own clocks: not while its calls are being counted.
  DaemonMeter meter();

 private:
  struct Record;

  FuseDaemon(const Descriptor& root, bool splice, Descriptor device);
  static void serve(int root, int device, int questions, bool splice, Record& record);
  bool exited() const;
  [[noreturn]] void throw_dead() const;
  // For a moment. Throws as require_alive().
  void pause() const;

  bool splice_;
  Descriptor mount_;
  fuse::ConnectionQueue outstanding_;
  std::string directory_;
  Descriptor questions_;  // a byte asks for the meter, the end of it ends the daemon
  std::uint64_t asked_ = 0;
  std::unique_ptr<transfers::SharedRecord<Record>> record_;
  std::unique_ptr<Child> child_;
};

}  // namespace zctrace
