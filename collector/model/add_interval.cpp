// SPDX-License-Identifier: MIT
// Adds processes pairwise, then the rest.
#include "collector/model/add_interval.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "collector/model/relay_sums.h"

namespace zctrace {
namespace {

constexpr std::size_t kMostNames = 32'768;  // as many as an observation remembers

using IntervalKey = std::tuple<std::int64_t, std::int64_t, std::uint64_t>;

IntervalKey key_of(const Process& process) { return {process.pid, process.tid, process.start_ns}; }

void add_relay(std::vector<Relay>& relays, const Relay& more) {
  const auto same = std::find_if(relays.begin(), relays.end(), [&](const Relay& relay) {
    return relay.from == more.from && relay.to == more.to;
  });
  if (same == relays.end()) {
    relays.push_back(more);
    return;
  }
  same->bytes += more.bytes;
  same->reads += more.reads;
  same->writes += more.writes;
}

// The figures of both, with the name that the process had at last: exec changes it.
Process added(const Process& earlier, const Process& later) {
  Totals both;
  both.add(earlier);
  both.add(later);
  Process process = std::move(both.sum);
  process.account = later.account;
  process.pid = later.pid;
  process.tid = later.tid;
  process.parent_pid = later.parent_pid;
  process.name = later.name;
  process.argv = later.argv;
  process.owner = later.owner;
  process.start_ns = later.start_ns;
  process.end_ns = later.end_ns;
  process.exit_code = later.exit_code;
  process.signal = later.signal;
  process.threads = std::max(earlier.threads, later.threads);
  process.rows = earlier.rows;  // a sum does not keep protocols apart
  for (const Row& row : later.rows) add_row_by_protocol(process.rows, row);
  process.flows = earlier.flows;
  merge_flows(process.flows, later.flows);
  process.mapped_files = earlier.mapped_files;
  merge_mapped_files(process.mapped_files, later.mapped_files);
  process.relays = earlier.relays;
  for (const Relay& relay : later.relays) add_relay(process.relays, relay);
  return process;
}

void add_processes(Report& sum, const std::vector<Process>& later) {
  std::map<IntervalKey, std::size_t> places;
  for (std::size_t i = 0; i < sum.processes.size(); ++i)
    places.emplace(key_of(sum.processes[i]), i);
  for (const Process& process : later) {
    const auto place = places.find(key_of(process));
    if (place == places.end())
      sum.processes.push_back(process);
    else
      sum.processes[place->second] = added(sum.processes[place->second], process);
  }
}

void join_others(Report& report, const Process& process) {
  report.others.add(process);
  merge_flows(report.others.sum.flows, process.flows);
  merge_mapped_files(report.others.sum.mapped_files, process.mapped_files);
  add_relays(report.others.sum.relays, process.relays);
}

void limit_ended(Report& report, std::size_t most) {
  std::vector<std::pair<std::uint64_t, std::size_t>> ended;  // by bytes
  for (std::size_t i = 0; i < report.processes.size(); ++i) {
    const Process& process = report.processes[i];
    if (process.end_ns) ended.emplace_back(process.copied_bytes() + process.in_kernel_bytes(), i);
  }
  if (ended.size() <= most) return;
  std::sort(ended.begin(), ended.end());
  std::vector<bool> joins(report.processes.size());
  for (std::size_t i = 0; i < ended.size() - most; ++i) joins[ended[i].second] = true;
  std::vector<Process> kept;
  for (std::size_t i = 0; i < report.processes.size(); ++i) {
    if (joins[i])
      join_others(report, report.processes[i]);
    else
      kept.push_back(std::move(report.processes[i]));
  }
  report.processes = std::move(kept);
}

void add_completeness(Completeness& sum, const Completeness& next) {
  for (const auto& [reason, count] : next.lost_by_reason) sum.lost_by_reason[reason] += count;
  sum.folded_rows += next.folded_rows;
  sum.in_flight_at_start += next.in_flight_at_start;
  sum.in_flight_at_end = next.in_flight_at_end;
  sum.compat_syscalls += next.compat_syscalls;
  sum.unfollowed_tasks += next.unfollowed_tasks;
  if (next.verification) sum.verification = next.verification;
}

}  // namespace

void add_interval(Report& sum, const Report& next, std::size_t most_ended) {
  sum.duration_ns += next.duration_ns;
  if (next.exit_code) sum.exit_code = next.exit_code;
  sum.latency &= next.latency;
  sum.adaptive |= next.adaptive;
  sum.channels |= next.channels;
  sum.unknown.insert(next.unknown.begin(), next.unknown.end());
  add_completeness(sum.completeness, next.completeness);
  add_processes(sum, next.processes);
  sum.others.add(next.others);
  merge_flows(sum.others.sum.flows, next.others.sum.flows);
  merge_mapped_files(sum.others.sum.mapped_files, next.others.sum.mapped_files);
  add_relays(sum.others.sum.relays, next.others.sum.relays);
  for (const auto& [socket, segments] : next.retransmits) sum.retransmits[socket] += segments;
  sum.mapped |= next.mapped;
  for (const auto& [channel, name] : next.channel_names)
    if (sum.channel_names.size() < kMostNames || sum.channel_names.contains(channel))
      sum.channel_names[channel] = name;
  if (next.advice) sum.advice = next.advice;
  limit_ended(sum, most_ended);
}

}  // namespace zctrace
