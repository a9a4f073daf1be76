// SPDX-License-Identifier: MIT
// The catalogue of figures: what is counted of a row, of a process and of a mount's daemon, with
// one entry for each. Adding, subtracting, the ledger, JSON, CSV and Prometheus loop over it; a
// test compares the schema and docs/counting.md with it. A new counter is a member of the kernel
// side's record (bpf/abi.h), the BPF program that counts it, and a member and an entry here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "bpf/abi.h"

namespace zctrace {

enum class Unit : std::uint8_t { count, bytes, ns };

// How a figure of several rows or processes is combined.
enum class Sum : std::uint8_t { added, largest };

// What a report of an interval shows.
enum class InInterval : std::uint8_t {
  difference,
  as_it_stands,  // a high-water mark, or a number of things that were there before
};

// The Prometheus metric that a figure is a series of.
struct MetricName {
  std::string_view name;
  std::string_view help;
};

inline constexpr MetricName kSwitchesMetric = {
    "zctrace_context_switches_total",
    "Context switches, by the call they happened in; syscall=\"outside_syscalls\" is outside of "
    "any."};
inline constexpr MetricName kOffCpuMetric = {
    "zctrace_off_cpu_seconds_total",
    "Time switched out, by the call it happened in; syscall=\"outside_syscalls\" is outside of "
    "any."};

// A figure of `Figures`, which the kernel side counts in a `Record`.
template <typename Figures, typename Record>
struct Field {
  std::string_view name;  // in JSON and CSV, with its unit
  std::uint64_t Figures::*member;
  __u64 Record::*kernel;  // nullptr: user space computes it
  Unit unit;
  Sum sum = Sum::added;
  InInterval interval = InInterval::difference;
  bool clocked = false;               // not measured with --timing none
  bool charged = false;               // known only where Row::charges says that it was measured
  bool listed = true;                 // false: in derived figures only, not in JSON and CSV
  MetricName metric = {};             // no name: not exported
  std::string_view metric_kind = {};  // its label "kind", where several figures share a metric
};

struct RowFigures {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t restarts = 0;  // ERESTART*: neither errors nor bytes
  std::uint64_t bytes = 0;     // moved, from the result
  // Parts of `bytes`: from /dev/zero, which fills memory with zeros; and thrown away, into
  // /dev/null or when received. Neither is copied; the latter is not delivered.
  std::uint64_t zeroed_bytes = 0;
  std::uint64_t discarded_bytes = 0;
  // By model/copies.h.
  std::uint64_t cpu_copied_bytes = 0;
  std::uint64_t cpu_copied_measured_bytes = 0;
  std::uint64_t uncopied_bytes = 0;  // moved on, and copied by no CPU
  std::uint64_t uncopied_measured_bytes = 0;
  // What the kernel charged to the task in these calls.
  std::uint64_t disk_read_bytes = 0;
  std::uint64_t dirtied_bytes = 0;
  std::uint64_t wall_ns = 0;
  std::uint64_t off_cpu_ns = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t claimed_bytes = 0;  // part of `bytes`: the process itself could have written it
};

inline constexpr Field<RowFigures, zc_row> kRowFields[] = {
    {.name = "calls",
     .member = &RowFigures::calls,
     .kernel = &zc_row::calls,
     .unit = Unit::count,
     .metric = {"zctrace_syscalls_total",
                "System calls that returned; io_uring's operations, when they completed."}},
    {.name = "errors",
     .member = &RowFigures::errors,
     .kernel = &zc_row::errors,
     .unit = Unit::count,
     .metric = {"zctrace_errors_total",
                "Calls that failed, without those that the kernel restarts."}},
    {.name = "restarts",
     .member = &RowFigures::restarts,
     .kernel = &zc_row::restarts,
     .unit = Unit::count},
    {.name = "bytes",
     .member = &RowFigures::bytes,
     .kernel = &zc_row::bytes,
     .unit = Unit::bytes,
     .metric = {"zctrace_bytes_total", "Bytes that calls moved, from their results."}},
    {.name = "zeroed_bytes",
     .member = &RowFigures::zeroed_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes,
     .listed = false},
    {.name = "discarded_bytes",
     .member = &RowFigures::discarded_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes,
     .listed = false},
    {.name = "cpu_copied_bytes",
     .member = &RowFigures::cpu_copied_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes,
     .metric = {"zctrace_cpu_copied_bytes_total",
                "Bytes that a CPU copied during calls, each as often as it was copied."}},
    {.name = "cpu_copied_measured_bytes",
     .member = &RowFigures::cpu_copied_measured_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes},
    {.name = "uncopied_bytes",
     .member = &RowFigures::uncopied_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes},
    {.name = "uncopied_measured_bytes",
     .member = &RowFigures::uncopied_measured_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes},
    {.name = "disk_read_bytes",
     .member = &RowFigures::disk_read_bytes,
     .kernel = &zc_row::disk_read,
     .unit = Unit::bytes,
     .charged = true,
     .metric = {"zctrace_disk_read_bytes_total", "Bytes that calls read from disks."}},
    {.name = "dirtied_bytes",
     .member = &RowFigures::dirtied_bytes,
     .kernel = &zc_row::dirtied,
     .unit = Unit::bytes,
     .charged = true,
     .metric = {"zctrace_dirtied_bytes_total",
                "Bytes of pages of files on disk that calls made dirty."}},
    {.name = "wall_ns",
     .member = &RowFigures::wall_ns,
     .kernel = &zc_row::wall_ns,
     .unit = Unit::ns,
     .clocked = true},
    {.name = "off_cpu_ns",
     .member = &RowFigures::off_cpu_ns,
     .kernel = &zc_row::off_cpu_ns,
     .unit = Unit::ns,
     .clocked = true,
     .metric = kOffCpuMetric},
    {.name = "voluntary_switches",
     .member = &RowFigures::voluntary_switches,
     .kernel = &zc_row::voluntary,
     .unit = Unit::count,
     .metric = kSwitchesMetric,
     .metric_kind = "voluntary"},
    {.name = "involuntary_switches",
     .member = &RowFigures::involuntary_switches,
     .kernel = &zc_row::involuntary,
     .unit = Unit::count,
     .metric = kSwitchesMetric,
     .metric_kind = "involuntary"},
    {.name = "claimed_bytes",
     .member = &RowFigures::claimed_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes},
};

struct ProcessFigures {
  std::uint64_t threads = 0;  // ever observed in it
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t max_rss_bytes = 0;
};

inline constexpr Field<ProcessFigures, zc_usage> kProcessFields[] = {
    {.name = "threads",
     .member = &ProcessFigures::threads,
     .kernel = nullptr,
     .unit = Unit::count,
     .interval = InInterval::as_it_stands},
    // The exact time on a CPU is split by ticks, so either may shrink as ticks arrive.
    {.name = "user_ns", .member = &ProcessFigures::user_ns, .kernel = nullptr, .unit = Unit::ns},
    {.name = "system_ns",
     .member = &ProcessFigures::system_ns,
     .kernel = nullptr,
     .unit = Unit::ns},
    {.name = "minor_faults",
     .member = &ProcessFigures::minor_faults,
     .kernel = &zc_usage::minor_faults,
     .unit = Unit::count},
    {.name = "major_faults",
     .member = &ProcessFigures::major_faults,
     .kernel = &zc_usage::major_faults,
     .unit = Unit::count},
    // Peaks of processes that ran one after another do not add up.
    {.name = "max_rss_bytes",
     .member = &ProcessFigures::max_rss_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes,
     .sum = Sum::largest,
     .interval = InInterval::as_it_stands},
};

// Of a process outside its calls.
struct OutsideFigures {
  std::uint64_t voluntary = 0;  // switches
  std::uint64_t involuntary = 0;
  std::uint64_t off_cpu_ns = 0;
};

inline constexpr Field<OutsideFigures, zc_outside> kOutsideFields[] = {
    {.name = "voluntary_switches",
     .member = &OutsideFigures::voluntary,
     .kernel = &zc_outside::voluntary,
     .unit = Unit::count,
     .metric = kSwitchesMetric,
     .metric_kind = "voluntary"},
    {.name = "involuntary_switches",
     .member = &OutsideFigures::involuntary,
     .kernel = &zc_outside::involuntary,
     .unit = Unit::count,
     .metric = kSwitchesMetric,
     .metric_kind = "involuntary"},
    {.name = "off_cpu_ns",
     .member = &OutsideFigures::off_cpu_ns,
     .kernel = &zc_outside::off_cpu_ns,
     .unit = Unit::ns,
     .clocked = true,
     .metric = kOffCpuMetric},
};

// What the daemon of a mount has used, all threads together.
struct DaemonUse {
  std::uint64_t threads = 0;
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t max_rss_bytes = 0;
  std::uint64_t requests = 0;  // received from /dev/fuse, by read, splice or io_uring
  std::uint64_t replies_written = 0;
  std::uint64_t replies_spliced = 0;
  std::uint64_t replies_committed = 0;  // by io_uring
  std::uint64_t proc_calls = 0;         // reads of /proc that identify requesters and causes
};

// The daemon counts these itself, so there is no record of the kernel side.
struct NoRecord {};

inline constexpr Field<DaemonUse, NoRecord> kDaemonFields[] = {
    {.name = "threads",
     .member = &DaemonUse::threads,
     .kernel = nullptr,
     .unit = Unit::count,
     .interval = InInterval::as_it_stands},
    {.name = "user_ns", .member = &DaemonUse::user_ns, .kernel = nullptr, .unit = Unit::ns},
    {.name = "system_ns", .member = &DaemonUse::system_ns, .kernel = nullptr, .unit = Unit::ns},
    {.name = "voluntary_switches",
     .member = &DaemonUse::voluntary_switches,
     .kernel = nullptr,
     .unit = Unit::count},
    {.name = "involuntary_switches",
     .member = &DaemonUse::involuntary_switches,
     .kernel = nullptr,
     .unit = Unit::count},
    {.name = "max_rss_bytes",
     .member = &DaemonUse::max_rss_bytes,
     .kernel = nullptr,
     .unit = Unit::bytes,
     .sum = Sum::largest,
     .interval = InInterval::as_it_stands},
    {.name = "requests", .member = &DaemonUse::requests, .kernel = nullptr, .unit = Unit::count},
    {.name = "replies_written",
     .member = &DaemonUse::replies_written,
     .kernel = nullptr,
     .unit = Unit::count},
    {.name = "replies_spliced",
     .member = &DaemonUse::replies_spliced,
     .kernel = nullptr,
     .unit = Unit::count},
    {.name = "replies_committed",
     .member = &DaemonUse::replies_committed,
     .kernel = nullptr,
     .unit = Unit::count},
    {.name = "proc_calls",
     .member = &DaemonUse::proc_calls,
     .kernel = nullptr,
     .unit = Unit::count},
};

// A member without an entry would be neither added nor shown.
static_assert(sizeof(RowFigures) == std::size(kRowFields) * sizeof(std::uint64_t));
static_assert(sizeof(ProcessFigures) == std::size(kProcessFields) * sizeof(std::uint64_t));
static_assert(sizeof(OutsideFigures) == std::size(kOutsideFields) * sizeof(std::uint64_t));
static_assert(sizeof(DaemonUse) == std::size(kDaemonFields) * sizeof(std::uint64_t));

template <typename Figures, typename Record, std::size_t N>
constexpr void add_figures(Figures& sum, const Figures& more,
                           const Field<Figures, Record> (&fields)[N]) {
  for (const Field<Figures, Record>& field : fields) {
    std::uint64_t& figure = sum.*field.member;
    if (field.sum == Sum::added)
      figure += more.*field.member;
    else
      figure = std::max(figure, more.*field.member);
  }
}

// What an interval shows of `later`; never below zero.
template <typename Figures, typename Record, std::size_t N>
constexpr void subtract_figures(Figures& later, const Figures& earlier,
                                const Field<Figures, Record> (&fields)[N]) {
  for (const Field<Figures, Record>& field : fields) {
    if (field.interval == InInterval::as_it_stands) continue;
    std::uint64_t& figure = later.*field.member;
    figure -= std::min(figure, earlier.*field.member);
  }
}

// Whether a difference says that nothing happened in its interval.
template <typename Figures, typename Record, std::size_t N>
constexpr bool no_figures(const Figures& figures, const Field<Figures, Record> (&fields)[N]) {
  return std::none_of(std::begin(fields), std::end(fields), [&figures](const auto& field) {
    return field.interval == InInterval::difference && figures.*field.member != 0;
  });
}

// How many of the fields are series of a Prometheus metric.
template <typename Figures, typename Record, std::size_t N>
constexpr std::size_t exported(const Field<Figures, Record> (&fields)[N]) {
  return static_cast<std::size_t>(
      std::count_if(std::begin(fields), std::end(fields),
                    [](const auto& field) { return !field.metric.name.empty(); }));
}

// Adds the same figures in records of the kernel side, before they become figures.
template <typename Figures, typename Record, std::size_t N>
constexpr void add_records(Record& sum, const Record& more,
                           const Field<Figures, Record> (&fields)[N]) {
  for (const Field<Figures, Record>& field : fields)
    if (field.kernel != nullptr) sum.*field.kernel += more.*field.kernel;
}

// Keeps the highest value ever seen of each.
template <typename Figures, typename Record, std::size_t N>
constexpr void raise_records(Record& highest, const Record& now,
                             const Field<Figures, Record> (&fields)[N]) {
  for (const Field<Figures, Record>& field : fields)
    if (field.kernel != nullptr)
      highest.*field.kernel = std::max(highest.*field.kernel, now.*field.kernel);
}

template <typename Figures, typename Record, std::size_t N>
constexpr void take_figures(Figures& figures, const Record& record,
                            const Field<Figures, Record> (&fields)[N]) {
  for (const Field<Figures, Record>& field : fields)
    if (field.kernel != nullptr) figures.*field.member = record.*field.kernel;
}

}  // namespace zctrace
