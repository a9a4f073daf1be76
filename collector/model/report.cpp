// SPDX-License-Identifier: MIT
// The arithmetic behind every figure a view shows; definitions in docs/counting.md.
#include "collector/model/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "collector/model/saturating.h"

namespace zctrace {
namespace {

// Whether a row's bytes reach a sink. Those in pipes are counted by pipe, not by row.
bool reaches_sink(const Row& row) { return row.to != Kind::user && row.to != Kind::pipe; }

std::uint64_t kept_bytes(const Row& row) { return not_below_zero(row.bytes, row.discarded_bytes); }

// Signed sums wrap, as unsigned ones do: a report that was read from a file may claim anything.
std::int64_t wrapped_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::int64_t wrapped_difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

std::uint64_t not_negative(std::int64_t more, std::uint64_t sum) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(wrapped_sum(static_cast<std::int64_t>(sum), more), 0));
}

template <typename Field>
std::uint64_t sum_over(const std::vector<Row>& rows, Field field) {
  std::uint64_t sum = 0;
  for (const Row& row : rows) sum += field(row);
  return sum;
}

// Bytes that reached sinks without a copy.
struct Uncopied {
  std::uint64_t in_kernel = 0;
  std::uint64_t from_user = 0;  // lent or written directly
  std::uint64_t copied_in = 0;  // into the process, so maybe the same bytes, copied before
};

Uncopied uncopied_to_sinks(const std::vector<Row>& rows) {
  Uncopied sum;
  for (const Row& row : rows) {
    const std::uint64_t uncopied = not_below_zero(kept_bytes(row), row.cpu_copied_bytes);
    if (row.to == Kind::user && row.from != Kind::user) sum.copied_in += row.cpu_copied_bytes;
    if (!reaches_sink(row)) continue;
    if (row.copy == Copy::in_kernel) sum.in_kernel += uncopied;
    if (row.copy == Copy::copied) sum.from_user += uncopied;
  }
  return sum;
}

std::uint64_t zero_copy_of(const Process& process, std::uint64_t to_sinks) {
  return std::min(not_negative(wrapped_difference(process.delivered_to_pipes_in_kernel,
                                                  process.spliced_from_user),
                               to_sinks),
                  process.delivered_bytes());
}

std::optional<double> share_of(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<std::uint64_t> sum_of_charges(const std::vector<Row>& rows,
                                            std::uint64_t RowFigures::*figure) {
  std::uint64_t sum = 0;
  for (const Row& row : rows) {
    if (row.charges != Charges::none && !row.is_charged(figure)) return std::nullopt;
    sum += row.*figure;
  }
  return sum;
}

void add_row(Row& into, const Row& from) {
  const bool moved = into.bytes != 0;
  add_figures<RowFigures>(into, from, kRowFields);
  if (from.max_ns > into.max_ns)
    into.max_is_bound = from.max_is_bound;
  else if (from.max_ns == into.max_ns)
    into.max_is_bound &= from.max_is_bound;
  // A row without bytes says nothing about how the other's moved.
  if (from.bytes != 0) into.verdict = moved ? both(into.verdict, from.verdict) : from.verdict;
  into.charges = std::max(into.charges, from.charges);
  into.in_memory |= from.in_memory;
  if (into.protocol != from.protocol) into.protocol = Protocol::mixed;
  for (const auto& [number, count] : from.errors_by) into.errors_by[number] += count;
  if (from.min_ns != 0 && (into.min_ns == 0 || from.min_ns < into.min_ns))
    into.min_ns = from.min_ns;
  into.max_ns = std::max(into.max_ns, from.max_ns);
  into.latency += from.latency;
  // As exact as a saved report has it, so that what is read again adds up to the same.
  into.wall_variance = variance_of(error_of(into.wall_variance + from.wall_variance));
  into.sample.add(from.sample);
  into.sliced += from.sliced;
  into.cpu += from.cpu;
}

void add_process(Process& into, const Process& from) {
  add_figures<ProcessFigures>(into, from, kProcessFields);
  add_figures(into.outside_syscalls, from.outside_syscalls, kOutsideFields);
  into.cpu_outside += from.cpu_outside;
  into.sliced += from.sliced;
  for (const auto sum : {&Process::delivered_to_pipes, &Process::delivered_to_pipes_in_kernel,
                         &Process::spliced_from_user})
    into.*sum = wrapped_sum(into.*sum, from.*sum);
  merge_rows(into.rows, from.rows);
  add_requests(into.requests, from.requests);
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

std::uint64_t Process::syscalls() const {
  return sum_over(rows, [](const Row& row) { return row.asynchronous ? 0 : row.calls; });
}

std::uint64_t Process::errors() const {
  return sum_over(rows, [](const Row& row) { return row.errors; });
}

std::uint64_t Process::copied_bytes() const {
  return sum_over(rows, [](const Row& row) {
    return row.copy == Copy::copied ? not_below_zero(kept_bytes(row), row.zeroed_bytes) : 0;
  });
}

std::uint64_t Process::in_kernel_bytes() const {
  return sum_over(rows,
                  [](const Row& row) { return row.copy == Copy::in_kernel ? kept_bytes(row) : 0; });
}

std::uint64_t Process::delivered_bytes() const {
  return not_negative(delivered_to_pipes, sum_over(rows, [](const Row& row) {
                        return reaches_sink(row) ? kept_bytes(row) : 0;
                      }));
}

std::uint64_t Process::kernel_only_bytes() const {
  const std::uint64_t to_sinks = sum_over(rows, [](const Row& row) {
    return reaches_sink(row) && row.copy == Copy::in_kernel ? kept_bytes(row) : 0;
  });
  return std::min(
      not_negative(wrapped_difference(delivered_to_pipes_in_kernel, spliced_from_user), to_sinks),
      delivered_bytes());
}

std::uint64_t Process::zero_copy_bytes() const {
  const Uncopied uncopied = uncopied_to_sinks(rows);
  return zero_copy_of(*this,
                      uncopied.in_kernel + not_below_zero(uncopied.from_user, uncopied.copied_in));
}

std::uint64_t Process::zero_copy_at_most_bytes() const {
  const Uncopied uncopied = uncopied_to_sinks(rows);
  return zero_copy_of(*this, uncopied.in_kernel + uncopied.from_user);
}

std::optional<double> Process::kernel_only_share() const {
  return delivered_by(*this).kernel_only_share();
}

std::optional<double> Process::zero_copy_share() const {
  return delivered_by(*this).zero_copy_share();
}

std::uint64_t Process::cpu_copied_bytes() const {
  return sum_over(rows, [](const Row& row) { return row.cpu_copied_bytes; });
}

std::uint64_t Process::cpu_copied_measured_bytes() const {
  return sum_over(rows, [](const Row& row) { return row.cpu_copied_measured_bytes; });
}

std::uint64_t Process::uncopied_bytes() const {
  return sum_over(rows, [](const Row& row) { return row.uncopied_bytes; });
}

std::uint64_t Process::uncopied_measured_bytes() const {
  return sum_over(rows, [](const Row& row) { return row.uncopied_measured_bytes; });
}

std::optional<double> Process::measured_share() const {
  return share_of(cpu_copied_measured_bytes() + uncopied_measured_bytes(),
                  cpu_copied_bytes() + uncopied_bytes());
}

Evidence Process::copies_evidence() const {
  return evidence_of(cpu_copied_bytes() + uncopied_bytes(),
                     cpu_copied_measured_bytes() + uncopied_measured_bytes());
}

std::optional<std::uint64_t> Process::disk_read_bytes() const {
  return sum_of_charges(rows, &RowFigures::disk_read_bytes);
}

std::optional<std::uint64_t> Process::dirtied_bytes() const {
  return sum_of_charges(rows, &RowFigures::dirtied_bytes);
}

std::uint64_t Process::off_cpu_ns() const {
  return outside_syscalls.off_cpu_ns +
         sum_over(rows, [](const Row& row) { return row.off_cpu_ns; });
}

CpuProfile Process::cpu_profile() const {
  CpuProfile sum = cpu_outside;
  for (const Row& row : rows) sum += row.cpu;
  return sum;
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

std::optional<double> Delivered::kernel_only_share() const { return share_of(kernel_only, bytes); }

std::optional<double> Delivered::zero_copy_share() const { return share_of(zero_copy, bytes); }

std::optional<double> Delivered::per_byte(std::uint64_t count) const {
  return share_of(count, bytes);
}

Delivered& Delivered::operator+=(const Delivered& other) {
  bytes += other.bytes;
  kernel_only += other.kernel_only;
  zero_copy += other.zero_copy;
  zero_copy_at_most += other.zero_copy_at_most;
  return *this;
}

Delivered delivered_by(const Process& process) {
  return {process.delivered_bytes(), process.kernel_only_bytes(), process.zero_copy_bytes(),
          process.zero_copy_at_most_bytes()};
}

void Totals::add(const Process& process) {
  add_process(sum, process);
  delivered += delivered_by(process);
  processes++;
}

void Totals::add(const std::vector<Process>& more) {
  for (const Process& process : more) add(process);
}

void Totals::add(const Totals& more) {
  processes += more.processes;
  add_process(sum, more.sum);
  delivered += more.delivered;
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

void merge_flows(std::vector<Flow>& into, const std::vector<Flow>& from) {
  using FlowIdentity = std::tuple<ChannelId, ChannelId, std::string, Kind, Kind, Protocol>;
  const auto key_of = [](const Flow& flow) {
    return FlowIdentity{flow.from,     flow.to,     flow.row.syscall,
                        flow.row.from, flow.row.to, flow.row.protocol};
  };
  std::map<FlowIdentity, std::size_t> known;
  for (std::size_t i = 0; i < into.size(); i++) known.emplace(key_of(into[i]), i);
  for (const Flow& flow : from) {
    const auto [place, added] = known.emplace(key_of(flow), into.size());
    if (added)
      into.push_back(flow);
    else
      add_row(into[place->second].row, flow.row);
  }
}

void merge_mapped_files(std::vector<FaultedFile>& into, const std::vector<FaultedFile>& from) {
  std::map<ChannelId, std::size_t> known;
  for (std::size_t i = 0; i < into.size(); i++) known.emplace(into[i].file, i);
  for (const FaultedFile& mapped : from) {
    const auto [place, added] = known.emplace(mapped.file, into.size());
    if (added) {
      into.push_back(mapped);
      continue;
    }
    into[place->second].bytes += mapped.bytes;
    into[place->second].faults += mapped.faults;
  }
}

void add_row_by_protocol(std::vector<Row>& into, Row row) {
  const auto same = std::find_if(into.begin(), into.end(), [&row](const Row& other) {
    return other.from == row.from && other.to == row.to && other.protocol == row.protocol &&
           other.syscall == row.syscall;
  });
  if (same == into.end())
    into.push_back(std::move(row));
  else
    add_row(*same, row);
}

std::vector<Row> shown_rows(const std::vector<Row>& rows) {
  std::vector<Row> merged;
  merge_rows(merged, shown_rows_by_protocol(rows));
  return merged;
}

std::vector<Row> shown_rows_by_protocol(const std::vector<Row>& rows) {
  std::vector<Row> shown;
  std::vector<Row> others;
  shown.reserve(rows.size());
  for (const Row& row : rows) {
    if (row.shown) {
      shown.push_back(row);
      continue;
    }
    Row& other = others.emplace_back(row);
    other.syscall = !row.asynchronous                 ? "other"
                    : row.syscall.starts_with("aio:") ? "aio:other"
                                                      : "io_uring:other";
    other.from = other.to = Kind::other;
    other.copy = Copy::none;
    other.bytes = 0;
    other.cpu_copied_bytes = other.cpu_copied_measured_bytes = 0;
    other.uncopied_bytes = other.uncopied_measured_bytes = 0;
    other.disk_read_bytes = other.dirtied_bytes = 0;
    other.charges = Charges::none;
    other.in_memory = false;
    other.protocol = Protocol::none;
    other.verdict = Verdict::none;
    other.shown = true;
  }
  merge_rows(shown, others);
  return shown;
}

std::optional<double> per_gb(std::uint64_t count, std::uint64_t delivered_bytes) {
  if (delivered_bytes == 0) return std::nullopt;
  return static_cast<double>(count) * 1e9 / static_cast<double>(delivered_bytes);
}

}  // namespace zctrace
