// SPDX-License-Identifier: MIT
// Reads /proc/TID/status for the PID, /proc/PID/stat for the start time and /proc/PID/cmdline: none
// of them on a serving thread.
#include "collector/fuse/requesters/requesters.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "collector/fuse/requesters/proc_file.h"
#include "collector/os/proc_status.h"

namespace zctrace::fuse {
namespace {

using std::chrono::milliseconds;

// How long a thread ID is trusted to mean the same process. PIDs are reused after tens of thousands
// of forks.
constexpr milliseconds kRecheck(50);
// A process that is new, or returns after a while, waits this long for its details to be read. Not
// longer: reading them can need a lock that the process holds until its request is answered.
constexpr milliseconds kPatience(50);
// It waits this long for its PID, which needs no such lock.
constexpr milliseconds kIdentityPatience(1000);
constexpr std::size_t kCommandBytes = ProcReader::kMostBytes;
constexpr std::size_t kThreads = 65536;  // remembered at once

std::string read_file(ProcReader& reader, std::int64_t id, const char* name) {
  return reader.read_one("/proc/" + std::to_string(id) + name).value_or(std::string());
}

std::int64_t number_of(std::string_view field) {
  std::int64_t number = 0;
  std::from_chars(field.data(), field.data() + field.size(), number);
  return number;
}

std::uint64_t tick_ns() {
  return 1'000'000'000ULL / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t since_boot_ns() {
  timespec time = {};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000ULL +
         static_cast<std::uint64_t>(time.tv_nsec);
}

bool is_power_of_two(std::uint32_t n) { return (n & (n - 1)) == 0; }

}  // namespace

bool parse_stat(std::string_view text, ProcessStat& stat) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return false;
  stat.name = text.substr(open + 1, close - open - 1);
  // After the name: state (field 3), ppid (4) … starttime (22); proc(5).
  std::size_t at = close + 1;
  for (int field = 3; field <= 22; ++field) {
    at = text.find_first_not_of(' ', at);
    if (at == std::string_view::npos) return false;
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const char* const first = text.data() + at;
    const char* const last = text.data() + end;
    if (field == 4 && std::from_chars(first, last, stat.parent_pid).ec != std::errc()) return false;
    if (field == 22 && std::from_chars(first, last, stat.start_ticks).ec != std::errc())
      return false;
    at = end;
  }
  return true;
}

Requesters::Requesters(std::size_t most) : most_(most) {
  Requester kernel;
  kernel.process.name = "[kernel]";
  kernel.inspectable = false;
  kernel.has_command = true;
  kernel.last_request = Clock::time_point::max();
  requesters_.emplace(kKernel, std::move(kernel));
}

void Requesters::start() {
  identity_.run([this] { identity_reader_.start(); }, kIdentityPatience);
  details_.run([this] { details_reader_.start(); }, kIdentityPatience);
}

ProcessId Requesters::process_of(pid_t tid, bool may_wait) {
  if (tid == 0) return kKernel;
  const auto now = Clock::now();
  {
    const std::lock_guard lock(mutex_);
    const auto requester = threads_.find(tid);
    if (requester != threads_.end()) {
      RequesterThread& thread = requester->second;
      const bool went_on = now - std::exchange(thread.last_request, now) < kRecheck;
      // A shell's child sends its first requests before execve.
      const bool recheck = now - thread.checked >= kRecheck ||
                           (++thread.requests <= 64 && is_power_of_two(thread.requests));
      if (!recheck) return thread.process;
      // The thread ID cannot have been reused meanwhile.
      if (went_on) {
        thread.checked = now;
        want_details(thread.process);
        return thread.process;
      }
    }
  }
  identity_.run([this, tid] { identify(tid); }, kIdentityPatience);
  const ProcessId process = last_known(tid);
  if (process == kKernel) return kKernel;
  if (!may_wait) {
    const std::lock_guard lock(mutex_);
    want_details(process);
    return process;
  }
  details_.run([this, process] { read_details(process); }, kPatience);
  return last_known(tid);  // a different process if the details showed a reused PID
}

// Runs on the background reader for identities.
void Requesters::identify(pid_t tid) {
  const std::string status = read_file(identity_reader_, tid, "/status");
  const std::int64_t pid = number_of(status_field(status, "Tgid"));
  const std::lock_guard lock(mutex_);
  if (pid == 0) return;  // keep the process that was found earlier
  const auto by_pid = by_pid_.find(pid);
  const ProcessId process = by_pid == by_pid_.end() ? add(pid) : by_pid->second;
  if (requesters_.at(process).process.name.empty()) {
    requesters_.at(process).process.name = status_field(status, "Name");
    requesters_.at(process).process.parent_pid = number_of(status_field(status, "PPid"));
  }
  // threads that send more requests are found again
  if (threads_.size() >= kThreads) threads_.clear();
  RequesterThread& thread = threads_[tid];
  if (thread.process != process) thread = {process, {}, {}, 1};
  thread.last_request = Clock::now();
}

// The caller holds the lock, here and in the next functions.
ProcessId Requesters::add(std::int64_t pid) {
  if (requesters_.size() > most_) forget_the_idle();
  const ProcessId process = next_++;
  requesters_[process].process.pid = pid;
  requesters_[process].last_request = Clock::now();
  by_pid_[pid] = process;
  if (remember_) remembered_.emplace(pid, since_boot_ns());
  return process;
}

// The PID was reused: it means another process now, and so do the threads that sent requests since.
ProcessId Requesters::replace(ProcessId former, std::uint64_t start_ticks) {
  Requester& requester = requesters_.at(former);
  requester.last_request = Clock::now();  // so that add() does not forget it here
  const std::int64_t pid = requester.process.pid;
  const auto latest = by_pid_.find(pid);
  // Several threads may discover this at once.
  const bool found = latest != by_pid_.end() && latest->second != former &&
                     requesters_.at(latest->second).start_ticks == start_ticks;
  const ProcessId process = found ? latest->second : add(pid);
  for (auto& [tid, thread] : threads_)
    if (thread.process == former) thread = {process, thread.checked, thread.last_request, 1};
  return process;
}

void Requesters::want_details(ProcessId process) {
  const auto requester = requesters_.find(process);
  if (requester == requesters_.end() || std::exchange(requester->second.details_wanted, true))
    return;
  details_.post([this, process] { read_details(process); });
}

// The process that the thread was last found to belong to.
ProcessId Requesters::last_known(pid_t tid) {
  const std::lock_guard lock(mutex_);
  const auto thread = threads_.find(tid);
  if (thread == threads_.end()) return kKernel;
  thread->second.checked = Clock::now();
  requesters_.at(thread->second.process).last_request = thread->second.checked;
  return thread->second.process;
}

// Runs on the background reader for details.
void Requesters::read_details(ProcessId process) {
  const pid_t pid = pid_of(process);
  if (pid == 0) return;  // no longer listed separately
  ProcessStat stat;
  const bool found = parse_stat(read_file(details_reader_, pid, "/stat"), stat);
  {
    const std::lock_guard lock(mutex_);
    if (!requesters_.contains(process)) return;
    requesters_.at(process).details_wanted = false;
    if (!found) return;
    const std::uint64_t start = requesters_.at(process).start_ticks;
    if (start != 0 && start != stat.start_ticks) process = replace(process, stat.start_ticks);
    Requester& requester = requesters_.at(process);
    requester.start_ticks = stat.start_ticks;
    requester.process.start_ns = stat.start_ticks * tick_ns();
    requester.process.parent_pid = stat.parent_pid;
    requester.process.name = stat.name;
    if (requester.has_command && requester.commands_name == stat.name) return;
  }
  std::vector<std::string> argv = command_of(pid);
  const std::lock_guard lock(mutex_);
  const auto requester = requesters_.find(process);
  if (requester == requesters_.end()) return;
  if (!argv.empty()) requester->second.process.argv = std::move(argv);
  requester->second.has_command = true;
  requester->second.commands_name = stat.name;
}

// Forgets a quarter more than necessary, so that this does not happen for each new process.
void Requesters::forget_the_idle() {
  std::vector<std::pair<Clock::time_point, ProcessId>> by_time;
  for (const auto& [id, requester] : requesters_) by_time.emplace_back(requester.last_request, id);
  const auto kept =
      by_time.begin() + static_cast<std::ptrdiff_t>(requesters_.size() - most_ + most_ / 4);
  std::nth_element(by_time.begin(), kept, by_time.end());
  for (auto idle = by_time.begin(); idle != kept; ++idle) {
    const auto found = requesters_.find(idle->second);
    const auto by_pid = by_pid_.find(found->second.process.pid);
    if (by_pid != by_pid_.end() && by_pid->second == idle->second) by_pid_.erase(by_pid);
    requesters_.erase(found);
  }
  std::erase_if(threads_, [this](const auto& thread) {
    return !requesters_.contains(thread.second.process);
  });
  std::unordered_set<ProcessId> listed;
  for (const auto& [id, requester] : requesters_) listed.insert(id);
  if (listed_changed_) listed_changed_(listed);
}

std::vector<std::string> Requesters::command_of(std::int64_t pid) {
  const std::string text = read_file(details_reader_, pid, "/cmdline");
  std::vector<std::string> argv;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    argv.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (text.size() == kCommandBytes && !argv.empty()) argv.back() += "…";
  return argv;
}

pid_t Requesters::pid_of(ProcessId process) const {
  const std::lock_guard lock(mutex_);
  const auto requester = requesters_.find(process);
  return requester == requesters_.end() ? 0 : static_cast<pid_t>(requester->second.process.pid);
}

void Requesters::remember() {
  const std::lock_guard lock(mutex_);
  remember_ = true;
}

bool Requesters::has_sent_request(std::int64_t pid, std::uint64_t start_ns) const {
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.lower_bound({pid, start_ns});
  return found != remembered_.end() && found->first == pid;
}

void Requesters::has_ended(std::int64_t pid, std::uint64_t start_ns) {
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.lower_bound({pid, start_ns});
  if (found != remembered_.end() && found->first == pid) remembered_.erase(found);
}

bool Requesters::may_inspect(ProcessId process) const {
  const std::lock_guard lock(mutex_);
  const auto requester = requesters_.find(process);
  return requester != requesters_.end() && requester->second.inspectable;
}

void Requesters::refuse_inspection(ProcessId process) {
  const std::lock_guard lock(mutex_);
  if (const auto requester = requesters_.find(process); requester != requesters_.end())
    requester->second.inspectable = false;
}

std::unordered_map<ProcessId, Process> Requesters::processes() const {
  const std::lock_guard lock(mutex_);
  std::unordered_map<ProcessId, Process> processes;
  for (const auto& [id, requester] : requesters_) processes.emplace(id, requester.process);
  return processes;
}

void Requesters::on_listed_changed(
    std::function<void(const std::unordered_set<ProcessId>&)> callback) {
  const std::lock_guard lock(mutex_);
  listed_changed_ = std::move(callback);
}

}  // namespace zctrace::fuse
