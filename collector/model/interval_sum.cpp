// SPDX-License-Identifier: MIT
#include "collector/model/interval_sum.h"

#include <algorithm>
#include <utility>

namespace zctrace {
namespace {

constexpr std::size_t kMostIntervals = 1000;
constexpr std::size_t kMostNames = 32'768;  // as many as an observation remembers

// The figures of both, and what else is known by the end of the second.
Process added_up(const Process& earlier, const Process& later) {
  Totals both;
  both.add(earlier);
  both.add(later);
  Process sum = std::move(both.sum);
  sum.account = later.account;
  sum.pid = later.pid;
  sum.tid = later.tid;
  sum.parent_pid = later.parent_pid;
  sum.name = later.name;
  sum.argv = later.argv;
  sum.start_ns = earlier.start_ns;
  sum.end_ns = later.end_ns;
  sum.exit_code = later.exit_code;
  sum.signal = later.signal;
  sum.threads = std::max(earlier.threads, later.threads);
  sum.rows = earlier.rows;  // a sum does not keep protocols apart
  for (const Row& row : later.rows) add_row_by_protocol(sum.rows, row);
  sum.flows = earlier.flows;
  merge_flows(sum.flows, later.flows);
  return sum;
}

std::uint64_t moved_bytes(const Process& process) {
  return process.copied_bytes() + process.in_kernel_bytes();
}

}  // namespace

void IntervalSum::add(const Process& process) {
  const auto [place, added] = processes_.try_emplace(process.account, process);
  if (!added) place->second = added_up(place->second, process);
}

void IntervalSum::add(const Completeness& interval) {
  Completeness& sum = sum_.completeness;
  for (const auto& [reason, count] : interval.lost_by_reason) sum.lost_by_reason[reason] += count;
  sum.folded_rows += interval.folded_rows;
  sum.in_flight_at_start += interval.in_flight_at_start;
  sum.in_flight_at_end = interval.in_flight_at_end;
  sum.compat_syscalls += interval.compat_syscalls;
  sum.unfollowed_tasks += interval.unfollowed_tasks;
  sum.verification = interval.verification;
}

void IntervalSum::add(const Report& interval) {
  if (intervals_.empty()) {
    sum_ = interval;
    sum_.processes.clear();
    sum_.others = {};
    sum_.completeness = {};
    sum_.duration_ns = 0;
  }
  sum_.duration_ns += interval.duration_ns;
  sum_.unknown.insert(interval.unknown.begin(), interval.unknown.end());
  if (interval.advice) sum_.advice = interval.advice;
  for (const auto& [channel, name] : interval.channel_names)
    if (sum_.channel_names.size() < kMostNames || sum_.channel_names.contains(channel))
      sum_.channel_names[channel] = name;
  add(interval.completeness);
  for (const Process& process : interval.processes) add(process);
  sum_.others.add(interval.others);
  merge_flows(sum_.others.sum.flows, interval.others.sum.flows);
  limit_processes();
  intervals_.push_back({interval.started_at, interval.duration_ns, interval.totals()});
  limit_intervals();
}

// Those that have ended and moved the least.
void IntervalSum::limit_processes() {
  if (processes_.size() <= most_processes_) return;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ended;  // bytes, account
  for (const auto& [account, process] : processes_)
    if (process.end_ns) ended.emplace_back(moved_bytes(process), account);
  std::sort(ended.begin(), ended.end());
  const std::size_t surplus = std::min(processes_.size() - most_processes_, ended.size());
  for (std::size_t i = 0; i < surplus; ++i) {
    const auto place = processes_.find(ended[i].second);
    sum_.others.add(place->second);
    merge_flows(sum_.others.sum.flows, place->second.flows);
    processes_.erase(place);
  }
}

void IntervalSum::limit_intervals() {
  if (intervals_.size() <= kMostIntervals) return;
  for (std::size_t i = 0; i + 1 < intervals_.size(); i += 2) {
    IntervalTotals& first = intervals_[i];
    first.duration_ns += intervals_[i + 1].duration_ns;
    first.totals.add(intervals_[i + 1].totals);
    if (i != 0) intervals_[i / 2] = std::move(first);
  }
  if (intervals_.size() % 2 != 0) intervals_[intervals_.size() / 2] = std::move(intervals_.back());
  intervals_.resize((intervals_.size() + 1) / 2);
}

Report IntervalSum::whole() const {
  Report report = sum_;
  for (const auto& [account, process] : processes_) report.processes.push_back(process);
  return report;
}

}  // namespace zctrace
