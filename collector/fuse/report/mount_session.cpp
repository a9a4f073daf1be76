// SPDX-License-Identifier: MIT
// Telling users of the mount from everybody else.
#include "collector/fuse/report/mount_session.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace zctrace::fuse {
namespace {

// A thread that looks at mappings may outlive those that serve, in an account of theirs.
constexpr std::chrono::milliseconds kEndPatience(100);
constexpr std::chrono::milliseconds kEndPause(5);

SessionOptions session_options() {
  SessionOptions options;
  options.probes.newcomers.all = true;
  // The cheapest mode, for everybody on the machine pays. Only x86-64 can tell without a program
  // at entry which call a switch belongs to.
#if defined(__x86_64__)
  options.probes.latency = false;
#endif
  // Names come from the requests; and a process may hold the lock that its command line is read
  // under until a request is answered, by threads that may have ended.
  options.commands = false;
  return options;
}

}  // namespace

Observation::Observation() : session_(session_options()) {
  session_.attach({});
  session_.poll();
}

void Observation::serve_with(const std::vector<pid_t>& threads) {
  session_.observe_own(threads);
  threads_ = threads.size();
}

void Observation::poll(Requesters& requesters) {
  session_.poll();
  running_ = {};
  for (const Process& process : session_.take_processes()) {
    if (!requesters.has_asked(process.pid, process.start_ns)) continue;
    add_calls_on_fuse(process.end_ns ? ended_ : running_, process);
    if (process.end_ns) requesters.has_ended(process.pid, process.start_ns);
  }
}

void Observation::finish(Requesters& requesters) {
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

Observed Observation::seen() const {
  Observed seen;
  add_calls_on_fuse(seen.applications, ended_);
  add_calls_on_fuse(seen.applications, running_);
  seen.daemon = sum_of(session_.own_threads());
  seen.lost_by_reason = session_.completeness().lost_by_reason;
  // Of anybody on the machine; no call on a file of the mount is among these.
  seen.lost_by_reason.erase("message_lengths");
  seen.lost_by_reason.erase("commands_full");
  return seen;
}

}  // namespace zctrace::fuse
