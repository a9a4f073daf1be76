// SPDX-License-Identifier: MIT
// The arithmetic of one pipe, and when a pipe is dropped.
#include "collector/observe/pipe_ledger.h"

#include <algorithm>

namespace zctrace {
namespace {

constexpr __u64 zc_pipe_bytes::*kBytes[] = {
    &zc_pipe_bytes::taken_copied,
    &zc_pipe_bytes::taken_moved,
    &zc_pipe_bytes::put_copied,
    &zc_pipe_bytes::put_moved,
};

// Takes as much of `part` as `rest` has.
std::uint64_t take_from(std::uint64_t& rest, std::uint64_t part) {
  const std::uint64_t taken = std::min(rest, part);
  rest -= taken;
  return taken;
}

void add(PipeLedger::FromPipes& sum, const PipeLedger::FromPipes& more) {
  sum.bytes += more.bytes;
  sum.in_kernel += more.in_kernel;
  sum.spliced_from_user += more.spliced_from_user;
}

}  // namespace

void PipeLedger::raise(ProcessInstance process, std::uint64_t account, std::uint64_t pipe,
                       const zc_pipe_bytes& bytes, bool open) {
  Uses& uses = processes_[process][pipe];
  zc_pipe_bytes& highest = uses.accounts[account];
  for (const auto field : kBytes) {
    if (bytes.*field <= highest.*field) continue;
    highest.*field = bytes.*field;
    uses.unchanged = 0;
  }
  if (open) uses.open = true;
}

// It is not known which bytes come out of a pipe first. This assumes that bytes which stayed in the
// kernel do, and that a process takes its own bytes before those of others. Neither assumption
// matters if one process fills the pipe in one way.
void PipeLedger::derive(const Uses& uses, bool ended, std::map<std::uint64_t, FromPipes>& into) {
  zc_pipe_bytes sum{};
  for (const auto& [account, bytes] : uses.accounts)
    for (const auto field : kBytes) sum.*field += bytes.*field;
  const std::uint64_t put_moved = sum.put_moved;
  const std::uint64_t put = sum.put_copied + put_moved;
  const std::uint64_t taken_moved = sum.taken_moved;
  const std::uint64_t taken = sum.taken_copied + taken_moved;
  const std::uint64_t own = std::min(put, taken);
  const std::uint64_t own_moved = std::min(own, put_moved);
  // While a process that drains the pipe runs, it may take the rest as well.
  const bool takes_the_rest = !ended && taken != 0;
  std::uint64_t moved_kept = takes_the_rest ? put_moved : own_moved;
  std::uint64_t copied_kept = takes_the_rest ? put - put_moved : own - own_moved;
  std::uint64_t from_user = std::min(own - own_moved, taken_moved);
  for (const auto& [account, bytes] : uses.accounts) {
    FromPipes& delivered = into[account];
    const std::uint64_t in_kernel = bytes.put_moved - take_from(moved_kept, bytes.put_moved);
    delivered.in_kernel += in_kernel;
    delivered.bytes += in_kernel + bytes.put_copied - take_from(copied_kept, bytes.put_copied);
    delivered.spliced_from_user += take_from(from_user, bytes.taken_moved);
  }
}

void PipeLedger::keep(const Uses& uses) {
  std::map<std::uint64_t, FromPipes> last;
  derive(uses, true, last);
  for (const auto& [account, delivered] : last)
    if (!forgotten_.contains(account)) add(kept_[account], delivered);
}

void PipeLedger::update(const std::function<bool(ProcessInstance)>& ended) {
  current_.clear();
  for (auto entry = processes_.begin(); entry != processes_.end();) {
    const auto next = std::next(entry);
    if (ended(entry->first)) {
      for (const auto& [pipe, uses] : entry->second) {
        keep(uses);
        for (const auto& [account, bytes] : uses.accounts) forgotten_.erase(account);
      }
      processes_.erase(entry);
    } else {
      for (auto& [pipe, uses] : entry->second) {
        derive(uses, false, current_);
        uses.unchanged = uses.open ? 0 : uses.unchanged + 1;
        uses.open = false;
      }
    }
    entry = next;
  }
}

PipeLedger::FromPipes PipeLedger::delivered(std::uint64_t account) const {
  FromPipes sum;
  for (const auto* part : {&current_, &kept_})
    if (const auto found = part->find(account); found != part->end()) add(sum, found->second);
  return sum;
}

void PipeLedger::forget(std::uint64_t account) {
  current_.erase(account);
  kept_.erase(account);
  const bool used = std::any_of(processes_.begin(), processes_.end(), [&](const auto& process) {
    return std::any_of(process.second.begin(), process.second.end(),
                       [&](const auto& pipe) { return pipe.second.accounts.contains(account); });
  });
  if (used) forgotten_[account] = true;
}

std::vector<PipeLedger::IdlePipe> PipeLedger::idle(unsigned snapshots) const {
  std::vector<IdlePipe> idle;
  for (const auto& [process, pipes] : processes_)
    for (const auto& [pipe, uses] : pipes) {
      if (pipe == 0 || uses.unchanged < snapshots) continue;
      IdlePipe one{process, pipe, {}};
      for (const auto& [account, bytes] : uses.accounts) one.accounts.push_back(account);
      idle.push_back(std::move(one));
    }
  return idle;
}

void PipeLedger::retire(const IdlePipe& pipe) {
  const auto process = processes_.find(pipe.process);
  if (process == processes_.end()) return;
  const auto found = process->second.find(pipe.pipe);
  if (found == process->second.end()) return;
  keep(found->second);
  process->second.erase(found);
}

}  // namespace zctrace
