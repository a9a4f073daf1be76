// SPDX-License-Identifier: MIT
// The order in which a mount begins and ends.
#include "collector/fuse/report/served_mount.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "collector/fuse/mount/serving_rights.h"
#include "collector/observe/machine/host.h"
#include "collector/os/capabilities.h"

namespace zctrace::fuse {
namespace {

// How often the session is read, which also frees the kernel's memory.
constexpr std::chrono::milliseconds kPollInterval(1000);

}  // namespace

ServedMount::ServedMount(ServedMountOptions options) {
  if (options.observe) {
    session_.emplace();
    options.passthrough.remember_requesters = true;
    options.passthrough.before_serving = [this](const std::vector<pid_t>& threads) {
      session_->serve_with(threads);
    };
  }
  // While the rights to load programs are there.
  options.passthrough.sender_calls = SenderCalls::load();
  const bool for_everyone = ::geteuid() == 0;
  // An ordinary user unmounts through fusermount3, which no_new_privs would keep from becoming
  // root.
  if (for_everyone) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // Before the source is opened: what file capabilities allow must not decide what a user's mount
  // shows.
  keep_serving_rights(for_everyone);
  mount_.emplace(options.source, options.target, options.passthrough);
  // The other threads serve.
  if (for_everyone) drop_capabilities(Privilege::inspect_processes | Privilege::unmount);
  threads_ = mount_->threads();
  clock_.restart();
  last_ = take_snapshot(*mount_, threads_);
  last_.counts = {};  // it serves already
  if (session_) last_calls_ = session_->seen();
}

void ServedMount::watch_in(EventLoop& loop) {
  loop.on_ready(mount_->ended(), [&loop](short) { loop.stop(); });
  if (!session_) return;
  loop.repeat(kPollInterval, [this] {
    session_->poll(mount_->fs().requesters);
    return kPollInterval;
  });
}

void ServedMount::stop(Signals& signals, std::chrono::milliseconds patience) {
  EventLoop loop(signals);
  loop.on_ready(mount_->ended(), [&loop](short) { loop.stop(); });
  loop.at(EventLoop::after(patience), [&loop] { loop.stop(); });
  loop.run();
  mount_->stop();
  stopped_ = true;
  if (session_) session_->finish(mount_->fs().requesters);
}

Report ServedMount::take_interval() {
  if (session_ && !stopped_) session_->poll(mount_->fs().requesters);
  MountSnapshot now = take_snapshot(*mount_, threads_);
  Report report = report_between(last_, now, *mount_);
  report.host = this_host();
  report.argv = own_command_line();
  clock_.stamp(report);
  clock_.restart();
  last_ = std::move(now);
  if (session_) {
    ObservedCalls calls = session_->seen();
    report.mount->observed = difference(calls, last_calls_);
    report.completeness.lost_by_reason.merge(report.mount->observed->lost_by_reason);
    last_calls_ = std::move(calls);
  }
  return report;
}

}  // namespace zctrace::fuse
