// SPDX-License-Identifier: MIT
// The daemon reports on itself through shared memory: what it does for that must not
// look like serving a request.
#include "cli/compare/fuse_daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "collector/fuse/mount/passthrough.h"
#include "collector/fuse/report/fuse_report.h"
#include "collector/os/error.h"
#include "collector/os/pipe.h"

namespace zctrace {
namespace {

// Between two looks at memory that the daemon writes.
constexpr useconds_t kPauseUs = 50;

// While requests keep coming, the kernel hands out no more than eight of them before a forget
// that waits (fuse_dev_do_read(), forget_batch).
constexpr int kRequestsBeforeForget = 8;

// What the daemon is asked.
constexpr char kMeter = 'm';           // to fill in the meter
constexpr char kForgetsAreDone = 'f';  // to answer when it has taken every forget

// What Record::state says.
constexpr std::uint64_t kServing = 1;
constexpr std::uint64_t kFailed = 2;

std::uint64_t load(std::uint64_t& shared) { return std::atomic_ref(shared).load(); }

fuse::Usage whole_usage(fuse::FileSystem& fs) {
  fuse::Usage sum;
  for (const auto& [process, operations] : fs.counts.snapshot().processes)
    sum += fuse::usage_of(operations);
  return sum;
}

}  // namespace

// Written by the daemon.
struct FuseDaemon::Record {
  std::uint64_t state;
  char failure[256];  // valid when the state is kFailed
  fuse::ServedRequests served;
  std::uint64_t answers;
  DaemonMeter meter;  // valid when every request for it was answered
};

DaemonMeter& DaemonMeter::operator-=(const DaemonMeter& earlier) {
  // The split between user and system time changes with each tick.
  user_ns -= std::min(user_ns, earlier.user_ns);
  system_ns -= std::min(system_ns, earlier.system_ns);
  usage -= earlier.usage;
  ring -= earlier.ring;
  return *this;
}

// The daemon's life. Its descriptors are the process's, which ends here.
void FuseDaemon::serve(int root, int device, int questions, FuseMode mode, Record& record) {
  ::prctl(PR_SET_NAME, "zctrace-fuse");
  // The terminal sends these to every process; the daemon is needed until the comparison ends.
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) ::signal(signal, SIG_IGN);
  try {
    fuse::PassthroughOptions options;
    options.splice = mode == FuseMode::splice;
    options.by_kernel = mode == FuseMode::passthrough;
    if (mode == FuseMode::uring) options.transport = fuse::Transport::uring;
    // Otherwise a transfer of a second or more would request attributes in between.
    options.cache = fuse::Cache::attributes;
    options.threads = 1;
    options.identify_requesters = false;
    options.served = &record.served;
    fuse::Passthrough passthrough(Descriptor(root), Descriptor(device), "the FUSE source", options);
    std::atomic_ref(record.state).store(kServing);
    for (;;) {
      char question;
      const ssize_t n = ::read(questions, &question, 1);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) ::_exit(0);  // the process that asks has ended
      if (question == kForgetsAreDone) {
        while (!passthrough.device_is_empty()) ::usleep(kPauseUs);
        std::atomic_ref(record.answers)++;
        continue;
      }
      const DaemonUse use = fuse::this_daemon(passthrough.fs(), passthrough.threads());
      record.meter = {use.user_ns, use.system_ns, whole_usage(passthrough.fs()),
                      fuse::ring_traffic()};
      std::atomic_ref(record.answers)++;
    }
  } catch (const std::exception& error) {
    std::snprintf(record.failure, sizeof(record.failure), "%s", error.what());
    std::atomic_ref(record.state).store(kFailed);
    ::_exit(1);
  }
}

FuseDaemon::FuseDaemon(const Descriptor& root, FuseMode mode)
    : FuseDaemon(root, mode, fuse::open_device()) {}

FuseDaemon::FuseDaemon(const Descriptor& root, FuseMode mode, Descriptor device)
    : mode_(mode),
      mount_(fuse::mount_detached_fuse(device)),
      outstanding_(mount_),
      directory_("/proc/self/fd/" + std::to_string(mount_.get())),
      record_(std::make_unique<transfers::SharedRecord<Record>>()) {
  Pipe asked = make_pipe();
  const Descriptor heard = std::move(asked.reader);
  questions_ = std::move(asked.writer);
  Record& record = *record_->get();
  child_ = std::make_unique<Child>(dependent_child({root.get(), device.get(), heard.get()}), [&] {
    serve(root.get(), device.get(), heard.get(), mode, record);
  });
  // An open copy of the device would keep the file system alive without a daemon to answer.
  device.reset();
  while (load(record.state) != kServing) {
    const bool ended = exited();
    if (load(record.state) == kFailed) throw Error(record.failure, kExitCannotRun);
    if (ended) throw_dead();
    ::usleep(kPauseUs);
  }
}

FuseDaemon::~FuseDaemon() = default;

bool FuseDaemon::exited() const {
  pollfd handle = {child_->handle(), POLLIN, 0};
  return ::poll(&handle, 1, 0) > 0;
}

void FuseDaemon::require_alive() const {
  // The connection ends first, while the process is still busy with its exit.
  if (!outstanding_.requests() || exited()) throw_dead();
}

void FuseDaemon::throw_dead() const {
  throw Error("the FUSE daemon (process " + std::to_string(pid()) +
              ") has died, and with it the files that are compared; try again");
}

void FuseDaemon::pause() const {
  require_alive();
  ::usleep(kPauseUs);
}

void FuseDaemon::wait_until_idle() const {
  while (outstanding_.requests() != 0) pause();
  // The last answer has been taken, but its call may not have returned to the daemon.
  fuse::ServedRequests& served = record_->get()->served;
  while (load(served.taken) != load(served.done)) pause();
}

void FuseDaemon::wait_until_forgets_are_done() {
  // Over io_uring other requests do not push them.
  if (mode_ == FuseMode::uring) {
    ask(kForgetsAreDone);
    wait_until_idle();
    return;
  }
  struct statx status = {};
  constexpr int kAsk = AT_EMPTY_PATH | AT_STATX_FORCE_SYNC;
  for (int request = 0; request <= kRequestsBeforeForget; ++request)
    if (::statx(mount_.get(), "", kAsk, STATX_BASIC_STATS, &status) != 0) pause();
  wait_until_idle();
}

void FuseDaemon::ask(char question) {
  // If the daemon died, the write fails (SIGPIPE is ignored), and pause() below finds out.
  if (::write(questions_.get(), &question, 1) == 1) asked_++;
  while (load(record_->get()->answers) != asked_) pause();
}

DaemonMeter FuseDaemon::meter() {
  ask(kMeter);
  return record_->get()->meter;
}

DaemonMeter FuseDaemon::used() {
  DaemonMeter now = meter();
  now -= start_;
  return now;
}

}  // namespace zctrace
