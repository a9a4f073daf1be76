// SPDX-License-Identifier: MIT
// Subtracts one report from another, row by row.
#include <algorithm>
#include <map>
#include <tuple>

#include "collector/model/relay_sums.h"
#include "collector/model/report.h"
#include "collector/model/saturating.h"
#include "collector/model/whole_flows.h"

namespace zctrace {
namespace {

// Account, pid, start. Not the tid, which an exec changes.
using ProcessKey = std::tuple<std::uint64_t, std::int64_t, std::uint64_t>;
using RowKey = std::tuple<std::string, Kind, Kind, Protocol>;

ProcessKey key_of(const Process& process) {
  return {process.account, process.pid, process.start_ns};
}
RowKey key_of(const Row& row) { return {row.syscall, row.from, row.to, row.protocol}; }

// The interval did not set the maximum, so its own is known by the bucket.
void bound_max(Row& row) {
  row.max_ns = row.latency.highest_ns(row.max_ns);
  row.max_is_bound = row.max_ns != 0;
}

// The interval's time is estimated from its own sample, not as the difference of two estimates. A
// sum of rows has no sample of its own.
void subtract_estimate(Row& later, const Row& earlier) {
  const bool mixed = later.sample.mixed || earlier.sample.mixed;
  later.sample = sample_since(later.sample, earlier.sample);
  later.wall_variance = std::max(0.0, later.wall_variance - earlier.wall_variance);
  if (!mixed && later.sample.untimed != 0) {
    const EstimatedTime untimed = untimed_time(later.sample);
    later.wall_ns = later.sample.known_ns + untimed.ns;
    later.wall_variance = untimed.variance;
  }
  if (later.sample.untimed == 0) later.wall_variance = 0;
  later.wall_ns = std::max(later.wall_ns, later.off_cpu_ns);
}

void subtract(Row& later, const Row& earlier) {
  const bool estimated = later.sample.untimed != 0;
  subtract_figures<RowFigures>(later, earlier, kRowFields);
  if (estimated) subtract_estimate(later, earlier);
  later.sliced -= earlier.sliced;
  later.latency -= earlier.latency;
  later.cpu -= earlier.cpu;
  for (const auto& [number, count] : earlier.errors_by)
    if (const auto found = later.errors_by.find(number); found != later.errors_by.end())
      found->second = not_below_zero(found->second, count);
  std::erase_if(later.errors_by, [](const auto& error) { return error.second == 0; });
  if (later.min_ns == earlier.min_ns) later.min_ns = later.latency.lowest_ns(later.min_ns);
  if (later.max_ns == earlier.max_ns) bound_max(later);
}

bool is_empty(const Row& row) {
  // If a reading caught a call half counted, the next reading has the rest.
  return no_figures<RowFigures>(row, kRowFields) && row.latency.total() == 0 &&
         row.cpu.total() == 0;
}

void subtract_mapped(std::vector<FaultedFile>& later, const std::vector<FaultedFile>& earlier) {
  std::map<ChannelId, const FaultedFile*> before;
  for (const FaultedFile& mapped : earlier) before.emplace(mapped.file, &mapped);
  for (FaultedFile& mapped : later) {
    const auto found = before.find(mapped.file);
    if (found == before.end()) continue;
    mapped.bytes = not_below_zero(mapped.bytes, found->second->bytes);
    mapped.faults = not_below_zero(mapped.faults, found->second->faults);
  }
  std::erase_if(later, [](const FaultedFile& mapped) { return mapped.bytes == 0; });
}

void subtract_by_channel(std::vector<Relay>& later, const std::vector<Relay>& earlier) {
  std::map<std::pair<Relay::End, Relay::End>, const Relay*> before;
  for (const Relay& relay : earlier) before.emplace(std::pair(relay.from, relay.to), &relay);
  for (Relay& relay : later) {
    const auto found = before.find({relay.from, relay.to});
    if (found == before.end()) continue;
    relay.bytes -= found->second->bytes;
    relay.reads -= found->second->reads;
    relay.writes -= found->second->writes;
  }
  std::erase_if(later, [](const Relay& relay) { return relay.bytes == 0; });
}

void subtract(Process& later, const Process& earlier) {
  subtract_figures<ProcessFigures>(later, earlier, kProcessFields);
  subtract_figures(later.outside_syscalls, earlier.outside_syscalls, kOutsideFields);
  later.cpu_outside -= earlier.cpu_outside;
  later.sliced -= earlier.sliced;
  later.delivered_to_pipes -= earlier.delivered_to_pipes;
  later.delivered_to_pipes_in_kernel -= earlier.delivered_to_pipes_in_kernel;
  later.spliced_from_user -= earlier.spliced_from_user;
  std::map<RowKey, const Row*> before;
  for (const Row& row : earlier.rows) before.emplace(key_of(row), &row);
  for (Row& row : later.rows)
    if (const auto found = before.find(key_of(row)); found != before.end())
      subtract(row, *found->second);
  std::erase_if(later.rows, is_empty);
  std::map<std::tuple<ChannelId, ChannelId, RowKey>, const Row*> flows;
  for (const Flow& flow : earlier.flows)
    flows.emplace(std::tuple(flow.from, flow.to, key_of(flow.row)), &flow.row);
  for (Flow& flow : later.flows)
    if (const auto found = flows.find({flow.from, flow.to, key_of(flow.row)}); found != flows.end())
      subtract(flow.row, *found->second);
  std::erase_if(later.flows, [](const Flow& flow) { return is_empty(flow.row); });
  subtract_mapped(later.mapped_files, earlier.mapped_files);
  subtract_by_channel(later.relays, earlier.relays);
}

// An interval shows no more of its flows than its rows have. Where its rows have more, the rest is
// of other files or peers.
void limit_flows(Process& between) {
  std::map<RowKey, RowFigures> left;
  for (const Row& row : between.rows) add_figures<RowFigures>(left[key_of(row)], row, kRowFields);
  for (Flow& flow : between.flows) {
    RowFigures& most = left[key_of(flow.row)];
    for (const auto& field : kRowFields) {
      if (field.sum != Sum::added) continue;
      std::uint64_t& figure = flow.row.*field.member;
      figure = std::min(figure, most.*field.member);
      most.*field.member -= figure;
    }
    // Estimates of files and peers may add up to more than that of their row.
    if (flow.row.sample.untimed != 0)
      flow.row.wall_ns = std::max(flow.row.wall_ns, flow.row.off_cpu_ns);
  }
  std::erase_if(between.flows, [](const Flow& flow) { return is_empty(flow.row); });
}

// What the other processes gained in the interval. Subtracts what they had at its beginning,
// and what `joined`, the processes that became part of them since, had then.
void subtract(Totals& later, const Totals& earlier, const std::vector<const Process*>& joined) {
  const auto subtract_delivered = [&later](const Delivered& delivered) {
    later.delivered.bytes = not_below_zero(later.delivered.bytes, delivered.bytes);
    later.delivered.kernel_only =
        not_below_zero(later.delivered.kernel_only, delivered.kernel_only);
    later.delivered.zero_copy = not_below_zero(later.delivered.zero_copy, delivered.zero_copy);
    later.delivered.zero_copy_at_most =
        not_below_zero(later.delivered.zero_copy_at_most, delivered.zero_copy_at_most);
  };
  later.processes -= earlier.processes;
  later.sum.threads = not_below_zero(later.sum.threads, earlier.sum.threads);
  subtract(later.sum, earlier.sum);
  subtract_delivered(earlier.delivered);
  for (const Process* process : joined) {
    subtract(later.sum, *process);
    subtract_relays(later.sum.relays, process->relays);
    subtract_delivered(delivered_by(*process));
  }
  for (Row& row : later.sum.rows) bound_max(row);
}

bool is_idle(const Process& process) {
  return process.rows.empty() && process.cpu_outside.total() == 0 &&
         no_figures<ProcessFigures>(process, kProcessFields) &&
         no_figures(process.outside_syscalls, kOutsideFields) && process.flows.empty() &&
         process.mapped_files.empty();
}

}  // namespace

Process difference(const Process& later, const Process& earlier) {
  Process between = later;
  subtract(between, earlier);
  return between;
}

ObservedCalls difference(const ObservedCalls& later, const ObservedCalls& earlier) {
  ObservedCalls between = later;
  between.applications = difference(later.applications, earlier.applications);
  between.daemon = difference(later.daemon, earlier.daemon);
  for (auto& [reason, count] : between.lost_by_reason)
    if (const auto before = earlier.lost_by_reason.find(reason);
        before != earlier.lost_by_reason.end())
      count -= before->second;
  return between;
}

Report difference(const Report& later, const Report& earlier, bool keeps_ended) {
  Report between = difference_with_whole_flows(later, earlier, keeps_ended);
  for (Process& process : between.processes) limit_flows(process);
  limit_flows(between.others.sum);
  std::erase_if(between.processes, is_idle);
  return between;
}

Report difference_with_whole_flows(const Report& later, const Report& earlier, bool keeps_ended) {
  Report between = later;
  std::map<ProcessKey, const Process*> before;
  for (const Process& process : earlier.processes) before.emplace(key_of(process), &process);
  for (Process& process : between.processes)
    if (const auto found = before.find(key_of(process)); found != before.end())
      subtract(process, *found->second);
  if (later.others.processes != 0) {
    for (const Process& process : later.processes) before.erase(key_of(process));
    std::vector<const Process*> joined;
    for (const auto& [key, process] : before)
      if (keeps_ended || !process->end_ns) joined.push_back(process);
    subtract(between.others, earlier.others, joined);
  }
  std::erase_if(between.processes, is_idle);
  for (auto& [socket, segments] : between.retransmits)
    if (const auto found = earlier.retransmits.find(socket); found != earlier.retransmits.end())
      segments = not_below_zero(segments, found->second);
  std::erase_if(between.retransmits, [](const auto& entry) { return entry.second == 0; });
  for (auto& [reason, count] : between.completeness.lost_by_reason)
    if (const auto found = earlier.completeness.lost_by_reason.find(reason);
        found != earlier.completeness.lost_by_reason.end())
      count -= found->second;
  if (between.duty && earlier.duty) {
    between.duty->observed_ns -= earlier.duty->observed_ns;
    between.duty->slices -= earlier.duty->slices;
    between.duty->sum -= earlier.duty->sum;
  }
  between.completeness.folded_rows -= earlier.completeness.folded_rows;
  between.completeness.in_flight_at_start -= earlier.completeness.in_flight_at_start;
  between.completeness.compat_syscalls -= earlier.completeness.compat_syscalls;
  between.completeness.unfollowed_tasks -= earlier.completeness.unfollowed_tasks;
  return between;
}

}  // namespace zctrace
