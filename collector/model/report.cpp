// SPDX-License-Identifier: MIT
// The arithmetic behind every figure a view shows; definitions in docs/counting.md.
#include "collector/model/report.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "collector/model/saturating.h"

namespace zctrace {
namespace {

constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

// One process's bytes, sorted by what became of them.
struct Deliveries {
  std::uint64_t to_sinks = 0;            // anything but user memory and pipes
  std::uint64_t to_sinks_in_kernel = 0;  // of these, never in user space
  std::uint64_t written_to_pipes = 0;    // copied: the reader is someone else
  std::uint64_t left_in_pipes = 0;       // spliced in and not spliced out again

  std::uint64_t bytes() const { return to_sinks + written_to_pipes + left_in_pipes; }
  std::uint64_t zero_copy_bytes() const { return to_sinks_in_kernel + left_in_pipes; }
};

// tee duplicates: what it took is still in the pipe.
bool leaves_its_source_full(const Row& row) {
  return row.syscall == "tee" || row.syscall == "io_uring:tee";
}

Deliveries deliveries_of(const std::vector<Row>& rows) {
  Deliveries deliveries;
  std::uint64_t filled = 0;
  std::uint64_t drained = 0;
  for (const Row& row : rows) {
    const bool in_kernel = row.copy == Copy::in_kernel;
    if (in_kernel && row.from == Kind::pipe && !leaves_its_source_full(row)) drained += row.bytes;
    if (row.to == Kind::user) continue;
    if (row.to != Kind::pipe) {
      deliveries.to_sinks += row.bytes;
      if (in_kernel) deliveries.to_sinks_in_kernel += row.bytes;
    } else if (in_kernel || row.copy == Copy::lent) {
      filled += row.bytes;
    } else {
      deliveries.written_to_pipes += row.bytes;
    }
  }
  // Which pipe is not known here: what the process drains counts as what it filled,
  // up to that amount. The rest of `drained` came from a pipe someone else fills.
  deliveries.left_in_pipes = filled - std::min(filled, drained);
  return deliveries;
}

struct Delivered {
  std::uint64_t bytes = 0;
  std::uint64_t zero_copy = 0;
};

// By `rows`, which came after `before`: what they drain may have been delivered, to a pipe, then.
Delivered delivered_between(const std::vector<Row>& before, const std::vector<Row>& rows) {
  if (before.empty()) {
    const Deliveries deliveries = deliveries_of(rows);
    return {deliveries.bytes(), deliveries.zero_copy_bytes()};
  }
  std::vector<Row> all = before;
  merge_rows(all, rows);
  const Deliveries earlier = deliveries_of(before);
  const Deliveries later = deliveries_of(all);
  const std::uint64_t bytes = not_below_zero(later.bytes(), earlier.bytes());
  return {bytes,
          std::min(bytes, not_below_zero(later.zero_copy_bytes(), earlier.zero_copy_bytes()))};
}

template <typename Field>
std::uint64_t sum_over(const std::vector<Row>& rows, Field field) {
  std::uint64_t sum = 0;
  for (const Row& row : rows) sum += field(row);
  return sum;
}

std::optional<double> share_of(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

void add_row(Row& into, const Row& from) {
  into.calls += from.calls;
  into.errors += from.errors;
  into.restarts += from.restarts;
  into.bytes += from.bytes;
  into.wall_ns += from.wall_ns;
  into.off_cpu_ns += from.off_cpu_ns;
  into.voluntary_switches += from.voluntary_switches;
  into.involuntary_switches += from.involuntary_switches;
  into.max_ns = std::max(into.max_ns, from.max_ns);
  into.latency += from.latency;
}

void add_process(Process& into, const Process& from) {
  into.threads += from.threads;
  into.user_ns += from.user_ns;
  into.system_ns += from.system_ns;
  into.minor_faults += from.minor_faults;
  into.major_faults += from.major_faults;
  // Peaks of processes that ran one after another do not add up: the largest stands.
  into.max_rss_bytes = std::max(into.max_rss_bytes, from.max_rss_bytes);
  into.outside_syscalls.voluntary += from.outside_syscalls.voluntary;
  into.outside_syscalls.involuntary += from.outside_syscalls.involuntary;
  into.off_cpu_outside_ns += from.off_cpu_outside_ns;
  merge_rows(into.rows, from.rows);
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::user: return "user";
    case Kind::file: return "file";
    case Kind::socket: return "socket";
    case Kind::pipe: return "pipe";
    case Kind::device: return "device";
    case Kind::fuse: return "fuse";
    case Kind::other: return "other";
  }
  return "other";  // a value out of range, from a newer kernel side
}

std::string_view copy_name(Copy copy) {
  switch (copy) {
    case Copy::none: return "none";
    case Copy::copied: return "copied";
    case Copy::in_kernel: return "in_kernel";
    case Copy::lent: return "lent";
  }
  return "none";
}

std::uint64_t Histogram::lower_bound_ns(std::size_t bucket) {
  if (bucket == 0) return 0;
  const std::uint64_t octave = std::uint64_t{1} << (bucket / 2 + kFirstOctave);
  return bucket % 2 == 0 ? octave : octave + octave / 2;
}

std::uint64_t Histogram::upper_bound_ns(std::size_t bucket) {
  return bucket + 1 < kBuckets ? lower_bound_ns(bucket + 1) : kUnbounded;
}

std::uint64_t Histogram::total() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts_) sum += count;
  return sum;
}

std::optional<std::uint64_t> Histogram::percentile_ns(double fraction, std::uint64_t max_ns) const {
  const std::uint64_t samples = total();
  if (samples == 0) return std::nullopt;
  const double target = std::clamp(fraction, 0.0, 1.0) * static_cast<double>(samples);
  // 0.07 * 100 is a little more than 7, and must still be the 7th sample.
  const bool is_last_sample = std::ceil(target - 1e-9) >= static_cast<double>(samples);

  std::uint64_t before = 0;
  std::size_t bucket = 0;
  while (counts_[bucket] == 0 || (before + counts_[bucket] < samples &&
                                  static_cast<double>(before + counts_[bucket]) < target - 1e-9)) {
    before += counts_[bucket++];
  }
  const std::uint64_t lower = lower_bound_ns(bucket);
  const std::uint64_t upper = std::min(upper_bound_ns(bucket), max_ns);
  if (upper <= lower) return upper;
  if (is_last_sample) return upper;  // its value is known: the maximum
  const double inside = std::clamp(
      (target - static_cast<double>(before)) / static_cast<double>(counts_[bucket]), 0.0, 1.0);
  return lower + std::min(upper - lower,
                          static_cast<std::uint64_t>(inside * static_cast<double>(upper - lower)));
}

std::uint64_t Histogram::highest_ns(std::uint64_t ceiling) const {
  for (std::size_t bucket = kBuckets; bucket-- > 0;)
    if (counts_[bucket] != 0) return std::min(upper_bound_ns(bucket), ceiling);
  return 0;
}

Histogram& Histogram::operator+=(const Histogram& other) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
    counts_[bucket] += other.counts_[bucket];
  return *this;
}

Histogram& Histogram::operator-=(const Histogram& other) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
    counts_[bucket] -= other.counts_[bucket];
  return *this;
}

std::uint64_t Process::syscalls() const {
  return sum_over(rows, [](const Row& row) { return row.asynchronous ? 0 : row.calls; });
}

std::uint64_t Process::errors() const {
  return sum_over(rows, [](const Row& row) { return row.errors; });
}

std::uint64_t Process::copied_bytes() const {
  return sum_over(rows, [](const Row& row) { return row.copy == Copy::copied ? row.bytes : 0; });
}

std::uint64_t Process::in_kernel_bytes() const {
  return sum_over(rows, [](const Row& row) { return row.copy == Copy::in_kernel ? row.bytes : 0; });
}

std::uint64_t Process::delivered_bytes() const {
  return delivered_between(rows_before, rows).bytes;
}

std::uint64_t Process::zero_copy_bytes() const {
  return delivered_between(rows_before, rows).zero_copy;
}

std::optional<double> Process::zero_copy_share() const {
  const Delivered delivered = delivered_between(rows_before, rows);
  return share_of(delivered.zero_copy, delivered.bytes);
}

std::uint64_t Process::off_cpu_ns() const {
  return off_cpu_outside_ns + sum_over(rows, [](const Row& row) { return row.off_cpu_ns; });
}

std::uint64_t Process::voluntary_switches() const {
  return outside_syscalls.voluntary +
         sum_over(rows, [](const Row& row) { return row.voluntary_switches; });
}

std::uint64_t Process::involuntary_switches() const {
  return outside_syscalls.involuntary +
         sum_over(rows, [](const Row& row) { return row.involuntary_switches; });
}

std::uint64_t Completeness::lost_events() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : lost_by_reason) sum += count;
  return sum;
}

bool Completeness::whole() const {
  return lost_events() == 0 && (!verification || verification->equal());
}

std::optional<double> Totals::zero_copy_share() const {
  return share_of(zero_copy_bytes, delivered_bytes);
}

void Totals::add(const std::vector<Process>& more) {
  const auto deliver = [this](const Process& process) {
    delivered_bytes += process.delivered_bytes();
    zero_copy_bytes += process.zero_copy_bytes();
  };
  std::map<std::int64_t, Process> threads_by_pid;
  for (const Process& process : more) {
    add_process(sum, process);
    if (process.tid == 0) {
      deliver(process);
    } else {
      Process& whole = threads_by_pid[process.pid];
      merge_rows(whole.rows_before, process.rows_before);
      merge_rows(whole.rows, process.rows);
    }
  }
  for (const auto& [pid, process] : threads_by_pid) deliver(process);
  processes += more.size();
}

void Totals::add(const Totals& more) {
  processes += more.processes;
  add_process(sum, more.sum);
  delivered_bytes += more.delivered_bytes;
  zero_copy_bytes += more.zero_copy_bytes;
}

Totals Report::totals() const {
  Totals totals;
  totals.add(processes);
  totals.add(others);
  return totals;
}

void merge_rows(std::vector<Row>& into, const std::vector<Row>& from) {
  for (const Row& row : from) {
    const auto same = std::find_if(into.begin(), into.end(), [&row](const Row& other) {
      return other.from == row.from && other.to == row.to && other.syscall == row.syscall;
    });
    if (same == into.end()) {
      into.push_back(row);
    } else {
      add_row(*same, row);
    }
  }
}

std::optional<double> per_gb(std::uint64_t count, std::uint64_t delivered_bytes) {
  if (delivered_bytes == 0) return std::nullopt;
  return static_cast<double>(count) * 1e9 / static_cast<double>(delivered_bytes);
}

}  // namespace zctrace
