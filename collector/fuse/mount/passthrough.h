// SPDX-License-Identifier: MIT
// A mounted passthrough: its session with the kernel, the threads that serve it, and its end.
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
#include "collector/fuse/receiving/reading_threads.h"
#include "collector/os/descriptor.h"

namespace zctrace::fuse {

class RequestRing;

// The number of requests (including forgets) that the threads have received from the device, and
// the number that they have finished. Each number is written atomically after the event it counts.
// When both are equal and the kernel waits for no answer, every thread is about to wait for the
// next request.
struct ServedRequests {
  std::uint64_t taken = 0;
  std::uint64_t done = 0;
};

// How requests and replies get between the kernel and the daemon.
enum class Transport {
  read,   // read and write, or splice, on /dev/fuse
  uring,  // commands of io_uring on /dev/fuse (Linux 6.14)
};

// A request and its header must fit into a pipe, and pipe sizes are powers of two: half of the
// largest pipe that an ordinary user may have.
constexpr unsigned kMaxWrite = 512 * 1024;

struct PassthroughOptions {
  Transport transport = Transport::read;
  bool splice = true;  // not with io_uring
  // The kernel reads and writes open files itself, so no request does. Needs root and Linux 6.9.
  bool by_kernel = false;
  Cache cache = Cache::automatic;
  // 0: two for each CPU, 4 to 32. With io_uring one more, which receives what comes by read only.
  unsigned threads = 0;
  bool identify_requesters = true;            // see FileSystemOptions
  bool remember_requesters = false;           // see FileSystemOptions
  std::shared_ptr<SenderCalls> sender_calls;  // see FileSystemOptions
  ServedRequests* served = nullptr;           // updated if not null; may be in shared memory
  // Called with the threads that will serve, before any of them does; requests wait meanwhile. If
  // it throws, nothing stays mounted and the caller gets the exception.
  std::function<void(const std::vector<pid_t>&)> before_serving;
};

// Owns the mount and the threads. The destructor unmounts, but never a mount that another process
// has made at the same path.
class Passthrough {
 public:
  // Mounts `source` at `target`; as an ordinary user through fusermount3. Each path is used once:
  // from then on a rename or a symbolic link changes neither what is served nor where it appears.
  // If this process dies for any reason, a watcher unmounts. Create it before the process starts
  // its first thread. Throws Error.
  Passthrough(const std::string& source, const std::string& target,
              const PassthroughOptions& options);
  // Serves a mount that was made elsewhere with this open /dev/fuse, for every user. `target` is
  // for the report only; the code that mounted also unmounts.
  Passthrough(Descriptor root, Descriptor device, const std::string& target,
              const PassthroughOptions& options);
  ~Passthrough();
  Passthrough(const Passthrough&) = delete;
  Passthrough& operator=(const Passthrough&) = delete;

  // Readable once the mount is gone, however it was unmounted.
  int ended() const { return ended_.get(); }
  // Unmounts this mount, and no other, wherever a rename has put it. Throws Error.
  Unmounted unmount();
  // Stops serving, waits for the threads and closes the device; processes that still use the mount
  // get errors. Call it once. The counts stay readable. A thread that the source keeps waiting is
  // given up after a while.
  void stop() noexcept;
  // Whether stop() has given up a thread. It may use this object at any time, so this must not be
  // destroyed: end the process by _exit(). The destructor does that with status 1.
  bool has_stuck_threads() const { return stuck_; }

  // Over io_uring: whether the thread that reads forgets and the like waits for more, and none is
  // there.
  bool device_is_empty() const;

  FileSystem& fs() { return *fs_; }
  const std::string& source() const { return source_; }
  const std::string& target() const { return target_; }
  // Mount points below the source that the mount does not show; see FileSystem::may_show().
  const std::vector<std::string>& not_shown() const { return not_shown_; }
  std::size_t threads() const { return workers_.size(); }

 private:
  struct DestroySession {
    void operator()(fuse_session* session) const { ::fuse_session_destroy(session); }
  };

  // `open_file_system` starts threads, so it runs after the watcher has been forked.
  void mount_as_root(const std::string& fusermount, const std::function<void()>& open_file_system);
  void mount_by_fusermount(const std::string& fusermount,
                           const std::function<void()>& open_file_system);
  void serve_device(Descriptor device);
  void find_what_is_not_shown();
  bool is_connected() const noexcept;
  void open_session(const std::string& mount_options);
  void start(const PassthroughOptions& options);
  std::vector<pid_t> thread_ids();  // waits until every worker has its ID
  void open_gate() noexcept;
  void let_all_receive() noexcept;
  // `ring`: where this worker's requests come, or null.
  void serve(bool is_first, RequestRing* ring) noexcept;
  void receive_from_ring(RequestRing& ring) noexcept;
  void receive_from_device(bool is_first) noexcept;
  ReadingThread* reading_thread() noexcept;
  void start_worker(bool is_first, RequestRing* ring);
  void require_rings();
  void make_kernel_forget() noexcept;
  bool break_connection() noexcept;
  void close_session() noexcept;

  std::string source_;
  std::string target_;
  Descriptor directory_;  // what is mounted over
  std::vector<std::string> not_shown_;
  std::unique_ptr<FileSystem> fs_;
  fuse_lowlevel_ops operations_ = {};
  std::unique_ptr<fuse_session, DestroySession> session_;
  bool mounted_ = false;
  MountIdentity mount_;
  ServedRequests* served_ = nullptr;
  std::unique_ptr<CrashWatcher> crash_watcher_;

  Descriptor ended_;
  std::vector<std::unique_ptr<RequestRing>> rings_;  // of all workers but the first
  std::atomic<int> ring_error_{0};
  ReadingThreads reading_;
  std::vector<std::thread> workers_;
  std::atomic<std::size_t> serving_{0};

  std::mutex gate_mutex_;
  std::condition_variable gate_;
  std::atomic<pid_t> first_worker_{0};
  std::vector<pid_t> waiting_;  // workers that have reached the gate
  bool gate_open_ = false;
  bool negotiated_ = false;  // the first request, FUSE_INIT, is answered

  std::atomic<bool> forgetter_ended_{true};
  std::thread forgetter_;
  bool stuck_ = false;
};

}  // namespace zctrace::fuse
