// SPDX-License-Identifier: MIT
// Starting to observe, polling, and the order in which finished accounts are freed.
#include "collector/observe/session.h"

#include <bpf/bpf.h>
#include <malloc.h>

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <thread>

#include "collector/observe/map_entries.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPollInterval(1000);
// If more processes than this end in a second, the maps are read more often, so that neither they
// nor a snapshot grow much larger, but without using more than 1 / kPollShare of a CPU.
constexpr std::int64_t kEndedAtOnce = 500;
constexpr milliseconds kShortestPollInterval(100);
constexpr int kPollShare = 4;
// How many snapshots in a row may look for a moment in which no task changes.
constexpr std::size_t kMarkTries = 16;
constexpr milliseconds kVerifyPatience(2000);

// In the order of enum zc_loss.
constexpr const char* kLosses[ZC_LOSSES] = {
    "task_memory",   "task_busy",     "accounts_full", "rows_full",  "message_lengths",
    "commands_full", "uring_results", "aio_results",   "pipes_full", "mapped_full",
};

// A pipe that did not change in this many snapshots in a row may be dropped.
constexpr unsigned kIdleSnapshots = 10;

// How long a poll may wait for the command lines of new processes.
constexpr milliseconds kCommandPatience(100);

// How often a walk that found no memory for a task is repeated, a millisecond apart.
constexpr int kWalkTries = 100;

std::chrono::nanoseconds cpu_time(clockid_t clock) {
  timespec time = {};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::vector<std::string> split_command(const zc_command& command) {
  const std::size_t length = std::min<std::size_t>(command.bytes, ZC_COMMAND_BYTES);
  return words_of_command({command.text, length}, command.cut != 0);
}

// Peak RSS, from the text of /proc/PID/status.
std::uint64_t peak_rss_bytes(const std::string& status) {
  const std::size_t field = status.find("\nVmHWM:");
  if (field == std::string::npos) return 0;
  return std::strtoull(status.c_str() + field + std::strlen("\nVmHWM:"), nullptr, 10) * 1024;
}

// nullopt: the counters of /proc/PID/io can be compared.
std::optional<std::string> why_io_is_not_verified(bool accounted) {
  if (!accounted) return "this kernel keeps no I/O counters (CONFIG_TASK_XACCT)";
  return std::nullopt;
}

// The rows of `table`, as the kernel of `skeleton` lets the programs count them.
SyscallTable with_claims(SyscallTable table, const Skeleton& skeleton) {
  if (!skeleton.has_message_lengths()) table.claim_message_lengths();
  return table;
}

}  // namespace

Session::Session(const SessionOptions& options)
    : options_(options),
      table_(options.syscalls),
      skeleton_(options.probes, table_),
      ledger_(with_claims(table_, skeleton_), ::getpid(), skeleton_.has_disk_accounting()),
      last_poll_(steady_clock::now()),
      poll_interval_(kShortestPollInterval) {
  ledger_.limit_flows(options_.max_flows);
  if (options_.probes.verify)
    verifier_.emplace(table_, why_io_is_not_verified(skeleton_.has_io_accounting()), ::getpid());
  if (const unsigned hz = options_.probes.profile_hz; hz != 0) {
    ledger_.profile().sampled_at(hz);
    sampler_.emplace(hz, skeleton_.sample_program(), skeleton_.samples_map());
  }
  if (const std::uint64_t every = options_.probes.stack_bytes; every != 0)
    stacks_.emplace(every, skeleton_.stacks_map(), table_);
  if (options_.probes.channels) names_.emplace(skeleton_.names_map());
}

void Session::begin(std::uint32_t walk, pid_t pid) {
  const std::uint64_t before = skeleton_.walk_observed();
  for (int tries = 0; tries < kWalkTries; tries++) {
    skeleton_.walk(walk, static_cast<std::uint32_t>(pid));
    if (skeleton_.walk_observed() != before) return;
    std::this_thread::sleep_for(milliseconds(1));
  }
  throw Error("cannot observe process " + std::to_string(pid) +
              ": the kernel has no memory for its state");
}

// Walks over all tasks until a walk finds none that was there before it. A parent may follow its
// child in a walk, a thread may start behind the walk, and memory may be free a moment later. A
// task that started during the walk does not need another one: the programs follow it from its
// parent. Only the next poll makes space for more accounts.
void Session::walk_until_settled() {
  for (int tries = 1;; tries++) {
    const std::uint64_t found = skeleton_.walk_found();
    const std::uint64_t failed = skeleton_.walk_failed();
    const std::uint64_t no_account = skeleton_.walk_no_account();
    skeleton_.walk(ZC_WALK_ATTACH);
    const std::uint64_t without_memory = skeleton_.walk_failed() - failed;
    const std::uint64_t without_account = skeleton_.walk_no_account() - no_account;
    const bool settled = without_memory == 0 && skeleton_.walk_found() == found;
    if (settled || tries == kWalkTries) {
      count_refused(ZC_LOST_TASK_MEMORY, without_memory);
      count_refused(ZC_LOST_ACCOUNTS_FULL, without_account);
      return;
    }
    if (without_memory != 0) std::this_thread::sleep_for(milliseconds(1));
  }
}

// The next walks are refused the same tasks again, but each is lost only once.
void Session::count_refused(std::uint32_t reason, std::uint64_t tasks) {
  std::uint64_t& counted = refused_[reason];
  if (tasks <= counted) return;
  skeleton_.count_loss(reason, tasks - counted);
  counted = tasks;
}

void Session::observe_from_exec(pid_t pid) { begin(ZC_WALK_ARM, pid); }
void Session::observe(pid_t pid) { begin(ZC_WALK_OBSERVE, pid); }

void Session::observe_own(const std::vector<pid_t>& tids) {
  for (const pid_t tid : tids) begin(ZC_WALK_OBSERVE, tid);
}

std::uint64_t Session::attach(const std::vector<pid_t>& pids) {
  const std::uint32_t yes = 1;
  for (const pid_t pid : pids)
    if (const int error = bpf_map_update_elem(skeleton_.wanted_pids_map(), &pid, &yes, BPF_ANY);
        error != 0)
      throw system_error("cannot observe process " + std::to_string(pid), -error);
  const std::uint64_t before = skeleton_.walk_observed();
  if (verifier_) verifier_->expect_begin(true);
  walk_until_settled();
  // By the next walk the PID may belong to another process.
  for (const pid_t pid : pids) bpf_map_delete_elem(skeleton_.wanted_pids_map(), &pid);
  const std::uint64_t attached = skeleton_.walk_observed() - before;
  if (verifier_ && attached != 0) {
    read_marks(&Verifier::may_begin);
    verifier_->begin();
  }
  if (verifier_) verifier_->expect_begin(false);
  return attached;
}

void Session::read_marks(bool (Verifier::*settled)() const) {
  for (std::size_t tries = 0; tries < kMarkTries; tries++) {
    poll();
    if (tries + 1 >= Verifier::kReadings && ((*verifier_).*settled)()) return;
  }
}

// A difference may be a call that the kernel has counted and we have not, for as long as the task
// is preempted between the two.
Verification Session::verify() {
  const auto deadline = steady_clock::now() + kVerifyPatience;
  for (;;) {
    read_marks(&Verifier::settled);
    Verification result = verifier_->result();
    result.lost_operations =
        skeleton_.loss(ZC_LOST_URING_RESULTS) + skeleton_.loss(ZC_LOST_AIO_RESULTS);
    if (verifier_->settled() && result.differences.empty()) return result;
    if (steady_clock::now() >= deadline) return result;
    std::this_thread::sleep_for(milliseconds(1));
  }
}

void Session::read_commands() {
  for (const Ledger::Running& process : ledger_.running_accounts()) {
    const auto [read, first] = commands_read_.try_emplace(process.account, 0);
    // No program saw the exec of an attached process. zctrace's own threads are no processes here.
    if (first && options_.commands && process.execs == 0 && process.parent_account == 0 &&
        process.pid != ::getpid())
      command_lines_.ask(process.account, process.pid);
    if (read->second == process.execs) continue;
    zc_command command;
    if (bpf_map_lookup_elem(skeleton_.commands_map(), &process.account, &command) != 0) continue;
    ledger_.set_command(process.account, split_command(command));
    read->second = process.execs;
  }
  // A process whose command line comes late may have run exec or ended meanwhile.
  for (const CommandLines::Found& found : command_lines_.take(kCommandPatience))
    if (const auto read = commands_read_.find(found.account);
        read != commands_read_.end() && read->second == 0)
      ledger_.set_command(found.account, found.argv);
}

void Session::poll() {
  const auto start = steady_clock::now();
  const auto cpu_before = cpu_time(CLOCK_THREAD_CPUTIME_ID);
  if (skeleton_.take_walk_wanted()) walk_until_settled();
  std::int64_t ended = 0;
  {
    const Snapshot snapshot =
        take_snapshot(skeleton_, {options_.probes.channels, options_.probes.relays});
    ledger_.add(snapshot);
    // After the snapshot: an account that is finished in it gets no more samples.
    if (sampler_)
      sampler_->read(ledger_.profile(), [this](pid_t pid, pid_t tid) {
        return ledger_.account_of(pid, options_.probes.by_thread ? tid : 0);
      });
    if (verifier_) verifier_->add(snapshot);
    read_commands();  // before any account is forgotten
    ended = static_cast<std::int64_t>(forget_finished(snapshot));
    retire_pipes(snapshot);
    if (names_) {
      settle_runs();
      retransmits_.add(snapshot.retransmits);
      retire_mapped();
      forget_names();
    }
    if (skeleton_.aio_used())
      skeleton_.count_loss(ZC_LOST_AIO_RESULTS, forget_aio_requests(skeleton_));
  }
  // Little of what a burst allocated is kept, spread over the heap. Give the rest back to the
  // kernel.
  if (ended > kEndedAtOnce / 4) ::malloc_trim(0);
  const auto took = std::chrono::ceil<milliseconds>(cpu_time(CLOCK_THREAD_CPUTIME_ID) - cpu_before);
  const auto since = std::chrono::ceil<milliseconds>(start - last_poll_);
  const milliseconds until_many(since.count() * kEndedAtOnce / std::max<std::int64_t>(ended, 1));
  last_poll_ = start;
  poll_interval_ =
      std::clamp(std::max(until_many, kPollShare * took), kShortestPollInterval, kPollInterval);
}

// Deletes the entries of `map` that belong to finished accounts: those of `entries`, which are
// pairs of a key and a value.
template <typename Entries>
void Session::forget_entries(int map, const Entries& entries, __u32 zc_share::*counter) {
  std::vector<std::remove_cv_t<decltype(entries.front().first)>> keys;
  for (const auto& [key, value] : entries)
    if (ledger_.finished(key.account)) keys.push_back(key);
  delete_entries(map, keys, [&](const auto& key) {
    skeleton_.give_back(ledger_.share_of(key.account), counter);
  });
}

// Frees the kernel's memory of finished accounts. Returns how many there were. The accounts come
// last: as long as one exists, the collector knows that its rows may exist.
std::size_t Session::forget_finished(const Snapshot& snapshot) {
  const std::vector<std::uint64_t> finished = ledger_.take_finished();
  if (finished.empty()) return 0;
  forget_entries(skeleton_.rows_map(), snapshot.folded_rows, &zc_share::rows);
  forget_entries(skeleton_.tallies_map(), snapshot.tallies, &zc_share::tallies);
  forget_entries(skeleton_.pipes_map(), snapshot.pipes, &zc_share::pipes);
  if (skeleton_.has_mapped())
    forget_entries(skeleton_.mapped_map(), snapshot.mapped, &zc_share::mapped);
  forget_entries(skeleton_.relays_map(), snapshot.relays, &zc_share::relays);
  if (options_.probes.relays)
    delete_entries(skeleton_.buffers_map(), finished, [&](std::uint64_t account) {
      skeleton_.give_back(ledger_.share_of(account), &zc_share::buffers);
    });
  delete_entries(skeleton_.commands_map(), finished);
  if (verifier_) delete_entries(skeleton_.kernel_counts_map(), finished);
  delete_entries(skeleton_.folded_map(), finished);
  delete_entries(skeleton_.accounts_map(), finished, [&](std::uint64_t account) {
    skeleton_.give_back(ledger_.share_of(account), &zc_share::accounts);
  });
  for (const std::uint64_t account : finished) commands_read_.erase(account);
  ledger_.fold_finished(options_.max_ended);
  return finished.size();
}

// A process may open new pipes for as long as it runs. Before the map is full, pipes that no task
// has used for a while are dropped.
void Session::retire_pipes(const Snapshot& snapshot) {
  if (snapshot.pipes.size() <= skeleton_.pipes_capacity() / 2) return;
  for (const PipeLedger::IdlePipe& pipe : ledger_.pipes().idle(kIdleSnapshots)) {
    for (const std::uint64_t account : pipe.accounts) {
      const zc_pipe_key key = {account, pipe.pipe};
      zc_pipe_bytes last = {};
      if (bpf_map_lookup_and_delete_elem(skeleton_.pipes_map(), &key, &last) != 0) continue;
      skeleton_.give_back(ledger_.share_of(account), &zc_share::pipes);
      ledger_.pipes().raise(pipe.process, account, pipe.pipe, last, false);
    }
    ledger_.pipes().retire(pipe);
  }
}

void Session::poll_until_gone(pid_t pid, milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  for (;;) {
    const bool last = steady_clock::now() >= deadline;  // before the poll, which may be delayed
    poll();
    const std::uint64_t account = ledger_.account_of(pid);
    if ((account == 0 || ledger_.finished(account)) && !ledger_.any_leaving()) return;
    if (last) return;
    std::this_thread::sleep_for(milliseconds(1));
  }
}

// Reads twice: a task that ends during the first read may be missing from it, and is in the maps in
// the second.
void Session::stop() {
  if (sampler_) sampler_->stop();
  skeleton_.stop_counting();
  poll();
  poll();
}

CostReading Session::cost() const {
  return {skeleton_.bpf_run_times(),
          static_cast<std::uint64_t>(cpu_time(CLOCK_PROCESS_CPUTIME_ID).count())};
}

std::map<std::string, std::string> Session::unknown() const {
  std::map<std::string, std::string> unknown;
  if (options_.probes.channels && !skeleton_.has_retransmits())
    unknown["retransmits"] = "this kernel does not tell (tracepoint tcp_retransmit_skb)";
  if (options_.probes.mapped && !skeleton_.has_mapped())
    unknown["mapped_bytes"] = "this kernel does not tell (6.12 and later do)";
  if (skeleton_.has_disk_accounting()) return unknown;
  const std::string why = latency()
                              ? "this kernel does not account for it (CONFIG_TASK_IO_ACCOUNTING)"
                              : "not measured with --timing none (--no-latency)";
  unknown["disk_read_bytes"] = unknown["dirtied_bytes"] = why;
  return unknown;
}

// The kernel notes the peak RSS of a process elsewhere only when it exits.
void Session::read_peak_memory(std::vector<Process>& processes) {
  std::vector<Process*> running;
  std::vector<ProcRequest> wanted;
  for (Process& process : processes) {
    if (process.end_ns) continue;
    running.push_back(&process);
    wanted.push_back({"/proc/" + std::to_string(process.pid) + "/status"});
  }
  const std::vector<std::optional<std::string>> found = proc_.read(wanted);
  for (std::size_t i = 0; i < running.size(); i++)
    if (found[i])
      running[i]->max_rss_bytes = std::max(running[i]->max_rss_bytes, peak_rss_bytes(*found[i]));
}

std::vector<Process> Session::processes() {
  std::vector<Process> processes = ledger_.processes();
  read_peak_memory(processes);
  return processes;
}

std::vector<Process> Session::take_processes() {
  std::vector<Process> processes = ledger_.processes();
  ledger_.forget_finished();
  return processes;
}

Process Session::process(pid_t pid) const {
  const std::uint64_t account = ledger_.account_of(pid);
  if (account == 0) throw Error("process " + std::to_string(pid) + " was not observed");
  return ledger_.process(account);
}

Completeness Session::completeness() const {
  Completeness completeness;
  for (std::uint32_t reason = 0; reason < ZC_LOSSES; reason++)
    completeness.lost_by_reason[kLosses[reason]] = skeleton_.loss(reason);
  completeness.lost_by_reason["program_busy"] = skeleton_.missed_runs();
  completeness.lost_by_reason["samples_full"] =
      skeleton_.samples_lost() + (sampler_ ? sampler_->lost() : 0);
  completeness.lost_by_reason["stacks"] = skeleton_.stacks_lost();
  completeness.folded_rows = skeleton_.folded_rows();
  completeness.in_flight_at_start = skeleton_.in_flight_at_start();
  completeness.in_flight_at_end = ledger_.tasks_in_call();
  completeness.compat_syscalls = ledger_.compat_calls();
  completeness.unfollowed_tasks =
      skeleton_.loss(ZC_LOST_TASK_MEMORY) + skeleton_.loss(ZC_LOST_ACCOUNTS_FULL);
  return completeness;
}

}  // namespace zctrace
