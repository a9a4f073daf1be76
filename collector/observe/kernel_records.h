// SPDX-License-Identifier: MIT
// Records of the kernel side, added up and turned into figures. Only the Ledger uses them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "bpf/abi.h"
#include "collector/model/report.h"

namespace zctrace {

inline ChannelId channel_id(const zc_channel& channel) {
  return {channel.inode, channel.device, channel.generation};
}

// What user_ns and system_ns are made of.
inline constexpr __u64 zc_usage::*kCpuTimes[] = {
    &zc_usage::user_ns,
    &zc_usage::system_ns,
    &zc_usage::runtime_ns,
};

// What a row counts besides figures.
inline constexpr __u64 zc_row::*kUnlistedCounters[] = {
    &zc_row::seen,       &zc_row::untimed,         &zc_row::sampled,
    &zc_row::sampled_ns, &zc_row::sampled_squares,
};

// 0 stands for none.
inline void lower_min(zc_row& lowest, const zc_row& row) {
  if (row.min_ns != 0 && (lowest.min_ns == 0 || row.min_ns < lowest.min_ns))
    lowest.min_ns = row.min_ns;
}

inline void add_row(zc_row& sum, const zc_row& row) {
  add_records(sum, row, kRowFields);
  sum.max_ns = std::max(sum.max_ns, row.max_ns);
  lower_min(sum, row);
  for (const auto counter : kUnlistedCounters) sum.*counter += row.*counter;
  for (unsigned i = 0; i < ZC_BUCKETS; i++) sum.latency[i] += row.latency[i];
}

// A row with these sums, and without latency.
inline zc_row row_of(const zc_row_sums& sums) {
  static_assert(offsetof(zc_row, max_ns) == sizeof(zc_row_sums));
  zc_row row{};
  std::memcpy(&row, &sums, sizeof(sums));
  return row;
}

// The sums of a row.
inline zc_row_sums sums_of(const zc_row& row) {
  zc_row_sums sums;
  std::memcpy(&sums, &row, sizeof(sums));
  return sums;
}

// Takes from `folded` what `known` has more than `now`: when a task gives up a row that was read,
// its counts may move to the row "(folded)", but count in a row of their own already.
inline void subtract_known(zc_row& folded, const zc_row& known, const zc_row& now) {
  const auto subtract = [&](__u64 zc_row::*counter) {
    const __u64 missing = known.*counter - std::min(known.*counter, now.*counter);
    folded.*counter -= std::min(folded.*counter, missing);
  };
  for (const auto& field : kRowFields)
    if (field.kernel != nullptr) subtract(field.kernel);
  for (const auto counter : kUnlistedCounters) subtract(counter);
  for (unsigned i = 0; i < ZC_BUCKETS; i++)
    if (static_cast<std::int32_t>(known.latency[i] - now.latency[i]) > 0)
      folded.latency[i] -= known.latency[i] - now.latency[i];
}

// Adds to the time of the row's calls that of those that were not timed. With Timing::adaptive, of
// all other calls the kernel side knows the time, but for the few that were in flight when it began
// to observe.
inline void estimate_time(Row& row, const zc_row& counted) {
  row.sample.known_ns = counted.wall_ns;
  row.sample.timed = counted.calls - std::min(counted.calls, counted.untimed);
  row.sample.timed_on_ns = counted.wall_ns - std::min(counted.wall_ns, counted.off_cpu_ns);
  row.sample.untimed = counted.untimed;
  row.sample.sampled = counted.sampled;
  row.sample.sampled_ns = counted.sampled_ns;
  row.sample.sampled_squares = counted.sampled_squares;
  if (counted.untimed == 0) return;
  const EstimatedTime untimed = untimed_time(row.sample);
  row.wall_ns += untimed.ns;
  row.wall_variance = untimed.variance;
}

inline void add_usage(zc_usage& sum, const zc_usage& usage) {
  add_records(sum, usage, kProcessFields);
  for (const auto time : kCpuTimes) sum.*time += usage.*time;
}

inline void raise_usage(zc_usage& highest, const zc_usage& now) {
  raise_records(highest, now, kProcessFields);
  for (const auto time : kCpuTimes) highest.*time = std::max(highest.*time, now.*time);
}

// As the kernel does for getrusage: splits the exact time on a CPU by the ratio of ticks.
inline std::pair<std::uint64_t, std::uint64_t> split_runtime(const zc_usage& usage) {
  const std::uint64_t ticks = usage.user_ns + usage.system_ns;
  if (usage.system_ns == 0) return {usage.runtime_ns, 0};
  if (usage.user_ns == 0) return {0, usage.runtime_ns};
  const auto system = static_cast<std::uint64_t>(static_cast<unsigned __int128>(usage.runtime_ns) *
                                                 usage.system_ns / ticks);
  return {usage.runtime_ns - system, system};
}

// The kind that is shown.
inline Kind kind_of(std::uint32_t end) {
  switch (end) {
    case ZC_NULL: return Kind::device;
    case ZC_DISCARD: return Kind::user;
    default: return static_cast<Kind>(end);
  }
}

// Derives the row's copies from its figures, and from what else is set in `moved`.
inline void count_row_copies(Row& row, MovedBytes moved) {
  moved.from = row.from;
  moved.to = row.to;
  moved.copy = row.copy;
  moved.protocol = row.protocol;
  moved.is_clone = row.syscall.starts_with("ioctl:");
  moved.sends = row.calls - std::min(row.calls, row.errors + row.restarts);
  moved.bytes = row.bytes - std::min(row.bytes, row.zeroed_bytes + row.discarded_bytes);
  moved.dirtied = row.dirtied_bytes;
  const CopyCount copies = count_copies(moved);
  row.cpu_copied_bytes = copies.bytes;
  row.cpu_copied_measured_bytes = copies.measured;
  row.uncopied_bytes = copies.uncopied;
  row.uncopied_measured_bytes = copies.uncopied_measured;
  row.verdict = copies.verdict;
}

}  // namespace zctrace
