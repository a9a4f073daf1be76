// SPDX-License-Identifier: MIT
// The mount's part in each step of a run.
#include "collector/fuse/report/mounted_run.h"

#include <vector>

namespace zctrace::fuse {

void MountedRun::serve(Session& session) {
  PassthroughOptions options;
  options.sender_calls = SenderCalls::load();
  options.before_serving = [&session](const std::vector<pid_t>& threads) {
    session.observe_own(threads);
  };
  mount_.serve(options);
}

void MountedRun::command_starts() {
  threads_ = mount_.passthrough().threads();
  before_ = take_snapshot(mount_.passthrough(), threads_);
}

// A serving thread counts a request a moment after it was answered.
void MountedRun::command_ended() { mount_.passthrough().stop(); }

void MountedRun::add_to(Report& report, const Session& session) {
  Passthrough& passthrough = mount_.passthrough();
  const MountSnapshot now = take_snapshot(passthrough, threads_);
  add_mount(report, report_between(before_, now, passthrough), session.own_threads());
}

}  // namespace zctrace::fuse
