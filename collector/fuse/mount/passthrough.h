// SPDX-License-Identifier: MIT
// A mounted passthrough: the session with the kernel, the threads that serve it, its end.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "collector/fuse/filesystem/file_system.h"
#include "collector/fuse/mount/crash_watcher.h"
#include "collector/fuse/mount/mount_point.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

// Requests, forgets included, that the threads have taken from the device, and of these the ones
// that they are done with. Each number is written atomically, after what it counts: when both are
// equal and the kernel waits for no answer, every thread is about to wait for the next request.
struct ServedRequests {
  std::uint64_t taken = 0;
  std::uint64_t done = 0;
};

struct PassthroughOptions {
  bool splice = true;
  Cache cache = Cache::automatic;
  unsigned threads = 0;              // 0: by the number of CPUs
  bool identify_requesters = true;   // see FileSystemOptions
  bool remember_requesters = false;  // the same
  ServedRequests* served = nullptr;  // kept up to date, if any; may lie in shared memory
  // Called with the threads that will serve, before any of them does; who uses the mount waits.
  // What it throws is thrown to the caller, with nothing left mounted.
  std::function<void(const std::vector<pid_t>&)> before_serving;
};

// Owns the mount and the threads. The destructor unmounts, lazily when it must; never what somebody
// else has mounted at the same place.
class Passthrough {
 public:
  // Mounts `source` at `target`, as an ordinary user through fusermount3. When this process dies
  // of whatever cause, a watcher unmounts. Before the caller's first thread. Throws Error.
  Passthrough(const std::string& source, const std::string& target,
              const PassthroughOptions& options);
  // Serves a mount that somebody made with this open /dev/fuse, for every user. `target` is
  // for the report only: whoever mounted it unmounts it.
  Passthrough(Descriptor root, Descriptor device, const std::string& target,
              const PassthroughOptions& options);
  ~Passthrough();
  Passthrough(const Passthrough&) = delete;
  Passthrough& operator=(const Passthrough&) = delete;

  // Readable once the mount is gone, whoever unmounted it.
  int ended() const { return ended_.get(); }
  // Its own mount, and no other. Throws Error.
  Unmounted unmount(bool lazily);
  // Stops serving, waits for the threads, and closes the device: whoever still uses the mount gets
  // an error. Once; what was counted can still be read.
  void stop() noexcept;

  FileSystem& fs() { return *fs_; }
  const std::string& source() const { return source_; }
  const std::string& target() const { return target_; }
  std::size_t threads() const { return workers_.size(); }

 private:
  struct DestroySession {
    void operator()(fuse_session* session) const { ::fuse_session_destroy(session); }
  };

  void open_session(const std::string& mount_options);
  void start(const PassthroughOptions& options);
  std::vector<pid_t> thread_ids();  // waits until every worker has one
  void open_gate() noexcept;
  void serve() noexcept;
  void make_kernel_forget() noexcept;
  bool break_connection() noexcept;
  void close_session() noexcept;

  std::string source_;
  std::string target_;
  std::unique_ptr<FileSystem> fs_;
  fuse_lowlevel_ops operations_ = {};
  std::unique_ptr<fuse_session, DestroySession> session_;
  bool mounted_ = false;
  MountIdentity mount_;
  ServedRequests* served_ = nullptr;
  std::unique_ptr<CrashWatcher> crash_watcher_;

  Descriptor ended_;
  std::vector<std::thread> workers_;
  std::atomic<std::size_t> serving_{0};

  std::mutex gate_mutex_;
  std::condition_variable gate_;
  std::vector<pid_t> waiting_;  // workers that came to the gate
  bool gate_open_ = false;

  std::mutex crowd_mutex_;
  std::condition_variable crowded_;
  bool stopping_ = false;  // under crowd_mutex_
  std::thread forgetter_;
};

}  // namespace zctrace::fuse
