// SPDX-License-Identifier: MIT
// Keeps the calls of the mount's users and drops those of all other processes.
#include "collector/fuse/report/mount_session.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "collector/fuse/report/ring_rows.h"

namespace zctrace::fuse {
namespace {

// The background reader of mappings may outlive the serving threads, and has an account of its own.
constexpr std::chrono::milliseconds kEndPatience(100);
constexpr std::chrono::milliseconds kEndPause(5);

SessionOptions session_options() {
  SessionOptions options;
  options.probes.new_tasks.all = true;
  options.probes.new_tasks.own_helpers = true;
  // The cheapest mode, because every process of the machine pays for it. Only on x86-64 can a
  // context switch be assigned to its call without a BPF program at syscall entry.
#if defined(__x86_64__)
  options.probes.latency = false;
#endif
  // Names come from the requests. Reading a command line can also block: a process may hold the
  // lock that it is read under until a request is answered, and the threads that would answer may
  // have ended.
  options.commands = false;
  return options;
}

}  // namespace

MountSession::MountSession() : session_(session_options()) {
  session_.attach({});
  session_.poll();
}

void MountSession::serve_with(const std::vector<pid_t>& threads) {
  session_.observe_own(threads);
  threads_ = threads.size();
}

void MountSession::poll(Requesters& requesters) {
  session_.poll();
  running_ = {};
  for (const Process& process : session_.take_processes()) {
    if (!requesters.has_sent_request(process.pid, process.start_ns)) continue;
    add_calls_on_fuse(process.end_ns ? ended_ : running_, process);
    if (process.end_ns) requesters.has_ended(process.pid, process.start_ns);
  }
}

void MountSession::finish(Requesters& requesters) {
  const auto deadline = std::chrono::steady_clock::now() + kEndPatience;
  for (;;) {
    poll(requesters);
    const std::vector<Process> threads = session_.own_threads();
    const auto ended = std::count_if(threads.begin(), threads.end(),
                                     [](const Process& thread) { return thread.end_ns; });
    if (static_cast<std::size_t>(ended) == threads_) return;
    if (std::chrono::steady_clock::now() >= deadline) return;
    std::this_thread::sleep_for(kEndPause);
  }
}

ObservedCalls MountSession::seen() const {
  ObservedCalls seen;
  add_calls_on_fuse(seen.applications, ended_);
  add_calls_on_fuse(seen.applications, running_);
  seen.daemon = sum_of(session_.own_threads());
  add_ring_rows(seen.daemon, ring_traffic());
  seen.lost_by_reason = session_.completeness().lost_by_reason;
  // These count losses of any process on the machine. None of them concerns a call on a file of the
  // mount.
  seen.lost_by_reason.erase("message_lengths");
  seen.lost_by_reason.erase("commands_full");
  return seen;
}

}  // namespace zctrace::fuse
