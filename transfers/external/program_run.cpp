// SPDX-License-Identifier: MIT
// Starts the program, waits for its end within limits, and ends what it leaves.
#include "transfers/external/program_run.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "collector/os/exit_status.h"
#include "collector/os/gated_child.h"
#include "transfers/external/error_output.h"
#include "transfers/external/orphans.h"
#include "transfers/external/program_ends.h"
#include "transfers/shared_record.h"

namespace zctrace::transfers {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBetweenLooks(1000);
constexpr milliseconds kLeftoverPatience(2000);

// Written by the child right before its exec.
struct ExecRecord {
  std::uint64_t exec_ns;  // CLOCK_MONOTONIC
  std::uint64_t cpu_ns;   // that the child had used until then
};

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// The last steps before exec, in the child. Returns an errno.
int enter(const ProgramEnds& ends, int error_output, const ProgramSettings& settings, pid_t parent,
          ExecRecord& record) noexcept {
  // Signals of the terminal are zctrace's to handle.
  if (::setpgid(0, 0) != 0) return errno;
  if (const int error = ends.enter(error_output); error != 0) return error;
  if (settings.caller)
    if (const int error = become(*settings.caller); error != 0) return error;
  // After become(), which would reset it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  if (::getppid() != parent) return ECHILD;
  record.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  record.exec_ns = clock_ns(CLOCK_MONOTONIC);
  return 0;
}

enum class Ending { by_itself, stopped, timed_out };

Ending await(GatedChild& child, ErrorOutput& output, int stop_fd, const ProgramSettings& settings) {
  const auto deadline = steady_clock::now() + settings.timeout;
  auto next_look = steady_clock::now() + kBetweenLooks;
  for (;;) {
    const auto until = std::min(deadline, next_look) - steady_clock::now();
    const auto wait_ms = std::chrono::ceil<milliseconds>(until).count();
    pollfd events[] = {
        {child.handle(), POLLIN, 0}, {output.read_fd(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    if (::poll(events, 3, static_cast<int>(std::max<std::int64_t>(wait_ms, 0))) < 0 &&
        errno != EINTR)
      throw SetupError(errno, "wait for a program");
    if (events[0].revents != 0) return Ending::by_itself;
    if (events[2].revents != 0) return Ending::stopped;
    if (events[1].revents != 0) output.take();
    if (steady_clock::now() >= deadline) return Ending::timed_out;
    if (steady_clock::now() < next_look) continue;
    if (settings.while_running) settings.while_running();
    next_look = steady_clock::now() + kBetweenLooks;
  }
}

// "30 s", "500 ms".
std::string time_text(std::chrono::nanoseconds time) {
  const auto ms = std::chrono::duration_cast<milliseconds>(time).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::optional<RunFailure> failure_of(Ending ending, int status, const ErrorOutput& output,
                                     const ProgramSettings& settings) {
  if (ending == Ending::stopped) return RunFailure{ECANCELED, "ECANCELED: the program was stopped"};
  if (ending == Ending::timed_out)
    return RunFailure{ETIMEDOUT, "still running after " + time_text(settings.timeout) +
                                     ", so it was killed; --timeout allows more"};
  const std::string text = ending_text(status);
  if (text.empty()) return std::nullopt;
  const std::string said = output.last_line();
  return RunFailure{ECANCELED, text + (said.empty() ? "" : ": " + said)};
}

void take_usage(const rusage& before, const ExecRecord& record, TransferResult& outcome) {
  rusage after{};
  ::getrusage(RUSAGE_CHILDREN, &after);
  const auto ns = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_usec) * 1'000;
  };
  outcome.user_ns = ns(after.ru_utime) - ns(before.ru_utime);
  outcome.system_ns = ns(after.ru_stime) - ns(before.ru_stime);
  // What the child used before its exec was the kernel's: pages that it shares with its parent.
  outcome.system_ns -= std::min(outcome.system_ns, record.cpu_ns);
  constexpr std::uint64_t kBlockBytes = 512;
  if (::access("/proc/self/io", F_OK) == 0)
    outcome.disk_read_bytes =
        kBlockBytes * static_cast<std::uint64_t>(after.ru_inblock - before.ru_inblock);
}

// What a program does that does not fail, and yet moves the wrong bytes.
void compare_bytes(const ProgramJob& job, bool verify, TransferResult& outcome) {
  if (outcome.error || job.sink == nullptr || job.sink->kind == SinkKind::null) return;
  if (job.sink->remote && !job.sink->remote->is_drain()) return;  // not known
  const std::uint64_t wanted = job.source->bytes();
  if (outcome.moved_bytes != wanted)
    outcome.error = RunFailure{EIO, "delivered " + std::to_string(outcome.moved_bytes) + " of " +
                                        std::to_string(wanted) + " bytes"};
  else if (verify && outcome.checksum_ok == false)
    outcome.error = RunFailure{EIO, "the bytes that arrived differ from the source"};
}

}  // namespace

TransferResult run_program(const Program& program, const ProgramJob& job,
                           const TransferOptions& options, const ProgramSettings& settings) {
  if (options.cold && job.source != nullptr) job.source->drop_cache();
  if (options.verify && job.source != nullptr) job.source->crc32();
  ProgramEnds ends(program, job, options, settings.directory);
  ErrorOutput output;
  SharedRecord<ExecRecord> record;
  const Orphans orphans;
  const pid_t parent = ::getpid();
  rusage before{};
  ::getrusage(RUSAGE_CHILDREN, &before);
  GatedChild child(
      program.has_placeholders ? with_values(program.words, ends.values()) : program.words,
      std::nullopt, settings.signals,
      [&] { return enter(ends, output.write_fd(), settings, parent, *record.get()); });
  ends.close_own_ends();
  output.close_write_end();

  if (options.before_release) options.before_release(child.pid());
  child.release();
  const Ending ending = await(child, output, options.stop_fd, settings);
  const std::uint64_t end_ns = clock_ns(CLOCK_MONOTONIC);
  if (ending != Ending::by_itself) ::kill(child.pid(), SIGKILL);
  const int status = child.wait();
  const bool all_ended = orphans.end_all(child.pid(), kLeftoverPatience);
  output.take();

  TransferResult outcome;
  outcome.wall_ns = end_ns - record->exec_ns;
  outcome.buffer_bytes = job.buffer_bytes;
  outcome.error = failure_of(ending, status, output, settings);
  take_usage(before, *record.get(), outcome);
  if (!all_ended) {
    if (!outcome.error)
      outcome.error = RunFailure{EBUSY, "left a process running that cannot be killed"};
    return outcome;
  }
  ends.take_result(record->exec_ns, options, outcome);
  // A reader may get the first byte only after the program's end.
  if (outcome.startup_ns) outcome.startup_ns = std::min(*outcome.startup_ns, outcome.wall_ns);
  compare_bytes(job, options.verify, outcome);
  return outcome;
}

}  // namespace zctrace::transfers
