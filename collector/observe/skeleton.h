// SPDX-License-Identifier: MIT
// Owns the BPF object: opens, configures, loads and attaches it. Closing it unloads everything.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "collector/model/timing/observer_cost.h"
#include "collector/observe/syscall_table.h"
#include "collector/os/descriptor.h"

struct zctrace_bpf;

namespace zctrace {

// Targets that the BPF programs look for themselves, so that none that starts later is missed.
struct NewTasks {
  bool all = false;
  std::vector<std::uint64_t> cgroups;  // by cgroup_id()
  std::vector<std::string> names;      // globs
  std::optional<std::uint32_t> user;   // no target but the processes with this real UID
  bool own_helpers = false;            // zctrace's own children are no targets
};

struct ProbeOptions {
  bool latency = true;           // false: no program at entry, no clock read
  bool adaptive = true;          // with `latency`: not every call of a busy row is timed
  bool check_estimates = false;  // for tests, see untimed_ns()
  bool by_thread = false;        // an account for each thread
  bool follow_children = true;
  bool windowed = false;          // count only while *window() is not 0
  bool verify = false;            // read the kernel's own counts, too
  unsigned profile_hz = 0;        // samples in a second of CPU time; 0: no samples
  bool channels = false;          // count by file and peer, too
  bool relays = false;            // notice bytes that are only passed on; needs `channels`
  bool mapped = false;            // count what page faults map of files; needs `channels`
  std::uint64_t stack_bytes = 0;  // one stack for about so many bytes moved; 0: no stacks
  // Only notices which tasks begin, end and switch, except between open_slice() and close_slice().
  // Without `latency`.
  bool sliced = false;
  bool run_times = false;  // have the kernel measure how long the programs run
  NewTasks new_tasks;
  // For tests of what happens when there is no room: entries of a map by its name; of "tasks",
  // how many tasks are ever given a state. "claims": as on a kernel that does not tell the lengths
  // of messages, whatever the number.
  std::map<std::string, std::uint32_t> room;
};

// What a session needs with its programs, maps and links, and a few to spare.
constexpr unsigned kOpenFiles = 64;

class Skeleton {
 public:
  // Loads and attaches everything. Throws Error (cannot run here) with libbpf's last warning when
  // the kernel refuses. Not thread safe. Nothing of it outlives the object.
  Skeleton(const ProbeOptions& options, const SyscallTable& table);
  ~Skeleton();
  Skeleton(const Skeleton&) = delete;
  Skeleton& operator=(const Skeleton&) = delete;

  int rows_map() const;
  int tallies_map() const;
  int folded_map() const;
  int accounts_map() const;
  int commands_map() const;
  int kernel_counts_map() const;
  int pipes_map() const;
  std::uint32_t pipes_capacity() const;
  int wanted_pids_map() const;
  // Only with ProbeOptions::channels.
  int runs_map() const;  // that programs write to
  // How many entries it has, and how many fit.
  std::uint32_t runs_used() const;
  std::uint32_t runs_capacity() const;
  // From now on programs write to the other map; returns the one that none writes to any more. -1:
  // this kernel cannot say when (MEMBARRIER_CMD_GLOBAL).
  int exchange_runs();
  int names_map() const;
  int named_map() const;
  // Whether this kernel tells of segments that TCP sends again.
  bool has_retransmits() const;
  int retransmits_map() const;
  // Whether this kernel tells what page faults map, with ProbeOptions::mapped.
  bool has_mapped() const;
  int mapped_map() const;  // only then
  std::uint32_t mapped_capacity() const;
  std::uint64_t names_lost() const;
  // Only with ProbeOptions::relays.
  int relays_map() const;
  int buffers_map() const;
  // Only with ProbeOptions::profile_hz.
  int sample_program() const;
  int samples_map() const;
  std::uint64_t samples_lost() const;
  // Only with ProbeOptions::stack_bytes.
  int stacks_map() const;
  std::uint64_t stacks_lost() const;
  int aio_contexts_map() const;
  int aio_requests_map() const;
  // Whether any observed process ever used native AIO.
  bool aio_used() const;

  // Runs zc_walk over all tasks, and returns what it wrote. `walk` and `pid` as in bpf/abi.h.
  std::vector<char> walk(std::uint32_t walk, std::uint32_t pid = 0);
  // From now on NewTasks::cgroups[index] is the cgroup `id`.
  void replace_cgroup(std::size_t index, std::uint64_t id);
  // How many tasks all walks so far began to observe.
  std::uint64_t walk_observed() const;
  // How many of these existed before their walk began.
  std::uint64_t walk_found() const;
  // How many tasks all walks so far could not observe, for lack of memory, or of room for their
  // process. The next walk meets most of them again.
  std::uint64_t walk_failed() const;
  std::uint64_t walk_no_account() const;
  // Whether a program has asked for a walk since the last call.
  bool take_walk_wanted();
  // Call it after deleting an entry of a map that counted toward this share.
  void give_back(std::uint32_t share, __u32 zc_share::*entries);
  // How often a row found no space and was added to the row "(folded)" of its account.
  std::uint64_t folded_rows() const;
  void count_loss(std::uint32_t reason, std::uint64_t count);

  // The flag of ProbeOptions::windowed, in memory shared with the kernel and with children
  // forked after this.
  volatile std::uint32_t* window();

  // Stops counting calls and requests, none of which is half counted. Still counts switches and
  // notices which tasks end.
  void stop_counting();

  // With ProbeOptions::sliced. Returns when the slice began. Throws Error.
  std::chrono::steady_clock::time_point open_slice();
  // The same for its end. No program counts calls any more; the next walk makes tasks forget the
  // calls that they are in.
  std::chrono::steady_clock::time_point close_slice();

  // Whether the programs see the true lengths of the messages of sendmmsg and recvmmsg.
  bool has_message_lengths() const;

  // Whether this kernel charges tasks with what they read from disks and make dirty.
  bool has_disk_accounting() const { return disk_accounting_; }
  // Whether this kernel keeps what /proc/PID/io shows.
  bool has_io_accounting() const { return io_accounting_; }

  // With ProbeOptions::check_estimates, the true time on a CPU of all calls that count as not
  // timed.
  std::uint64_t untimed_ns() const;

  // Calls that were in flight when their task was attached to.
  std::uint64_t in_flight_at_start() const;

  std::uint64_t loss(std::uint32_t reason) const;
  // Runs of a program that the kernel left out because it was running already.
  std::uint64_t missed_runs() const;
  // How often the programs ran; with ProbeOptions::run_times also how long.
  std::vector<BpfRunTime> bpf_run_times() const;

 private:
  struct Destroy {
    void operator()(zctrace_bpf* bpf) const;
  };
  Descriptor measuring_;  // open while the kernel measures run times
  std::unique_ptr<zctrace_bpf, Destroy> bpf_;
  bool io_accounting_ = false;
  bool disk_accounting_ = false;
};

}  // namespace zctrace
