// SPDX-License-Identifier: MIT
// A program is observed from its exec on, with all that it starts.
#include "cli/compare/programs/program_runs.h"

#include <sys/stat.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "collector/fuse/mount/detached_mount.h"
#include "collector/os/caller.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

// How long a process that has ended may take to leave its CPU.
constexpr std::chrono::milliseconds kGonePatience(500);

// Reached by its descriptor alone, so that nothing stays behind.
Descriptor make_directory() {
  Descriptor directory = fuse::mount_detached_tmpfs();
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get());
  constexpr mode_t kEveryUserMayEnter = 0711;
  if (::chmod(path.c_str(), kEveryUserMayEnter) != 0)
    throw system_error("cannot open the directory of a Unix socket to other users", errno);
  return directory;
}

transfers::TransferResult run_with(const transfers::ProgramSettings& settings,
                                   const PlannedRow& row, const Route& route,
                                   const transfers::TransferOptions& options) {
  transfers::ProgramJob job;
  if (route.source != nullptr) {
    job.source = route.source;
    job.sink = &route.sink;
    job.buffer_bytes = row.buffer.bytes.value_or(route.source->bytes());
  }
  return transfers::run_program(*row.program, job, options, settings);
}

}  // namespace

ProgramRuns::ProgramRuns(const ComparePlan& plan, const Signals& signals) {
  if (!plan.has_programs()) return;
  if (!plan.commands && plan.route.sink.kind == transfers::SinkKind::unix_stream)
    directory_ = make_directory();
  settings_.directory = directory_.get();
  if (!plan.as_root) settings_.caller = sudo_caller();
  settings_.signals = signals.before();
  settings_.timeout = plan.timeout;
}

transfers::TransferResult ProgramRuns::run(const PlannedRow& row, const Route& route,
                                           const transfers::TransferOptions& options) const {
  return run_with(settings_, row, route, options);
}

transfers::TransferResult ProgramRuns::run_counted(const PlannedRow& row, const Route& route,
                                                   transfers::TransferOptions options,
                                                   Session& session, MethodResult& result,
                                                   std::vector<Process>& counted) const {
  pid_t program = 0;
  session.forget_ended();
  options.before_release = [&](pid_t pid) { session.observe_from_exec(program = pid); };
  transfers::ProgramSettings settings = settings_;
  settings.while_running = [&session] { session.poll(); };
  transfers::TransferResult done = run_with(settings, row, route, options);
  session.poll_until_gone(program, kGonePatience);
  counted = session.take_processes();
  if (done.error || counted.empty()) return done;
  Totals totals;
  totals.add(counted);
  result.counts = std::move(totals.sum);
  result.counts.pid = program;
  result.program->processes = totals.processes;
  result.program->delivered_bytes = totals.delivered.bytes;
  return done;
}

}  // namespace zctrace
