// SPDX-License-Identifier: MIT
// Differences by process, and comparisons that are total, so that lines do not jump.
#include "cli/top/model.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "cli/text/letter_case.h"

namespace zctrace {
namespace {

LineKey key_of(const Process& process) { return {process.pid, process.tid, process.start_ns}; }

std::map<LineKey, const Process*> by_key(const Report& report) {
  std::map<LineKey, const Process*> processes;
  for (const Process& process : report.processes) processes.emplace(key_of(process), &process);
  return processes;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// What a column sorts by; negative: no value.
double weight(const TopProcess& process, ProcessSort by, bool totals) {
  const ProcessSummary& figures = process.figures(totals);
  switch (by) {
    case ProcessSort::moved: return static_cast<double>(figures.moved_bytes());
    case ProcessSort::syscalls: return static_cast<double>(figures.syscalls);
    case ProcessSort::copied: return static_cast<double>(figures.copied_bytes);
    case ProcessSort::in_kernel: return static_cast<double>(figures.in_kernel_bytes);
    case ProcessSort::delivered: return static_cast<double>(figures.delivered.bytes);
    case ProcessSort::zero_copy: return figures.delivered.zero_copy_share().value_or(-1);
    case ProcessSort::switches: return static_cast<double>(figures.switches());
    case ProcessSort::cpu: return static_cast<double>(figures.cpu_ns);
    case ProcessSort::errors: return static_cast<double>(figures.errors);
    case ProcessSort::name:
    case ProcessSort::pid: break;
  }
  return 0;
}

double percentile(const Row& row, double fraction) {
  const auto ns = row.latency.percentile_ns(fraction, row.max_ns);
  return ns ? static_cast<double>(*ns) : -1;
}

double weight(const Row& row, RowSort by) {
  switch (by) {
    case RowSort::bytes: return row.copy == Copy::none ? -1 : static_cast<double>(row.bytes);
    case RowSort::calls: return static_cast<double>(row.calls);
    case RowSort::p50: return percentile(row, 0.5);
    case RowSort::p99: return percentile(row, 0.99);
    case RowSort::off_cpu: return off_cpu_share(row).value_or(-1);
    case RowSort::switches:
      return static_cast<double>(row.voluntary_switches + row.involuntary_switches);
    case RowSort::errors: return static_cast<double>(row.errors);
    case RowSort::syscall: break;
  }
  return 0;
}

// Descending, without a value last either way.
std::strong_ordering compare_weights(double a, double b, bool reversed) {
  if (a == b) return std::strong_ordering::equal;
  if (a < 0 || b < 0) return b < 0 ? std::strong_ordering::less : std::strong_ordering::greater;
  return (a > b) != reversed ? std::strong_ordering::less : std::strong_ordering::greater;
}

}  // namespace

const TopProcess* TopSample::find(const LineKey& key) const {
  const auto found = std::find_if(processes.begin(), processes.end(),
                                  [&](const TopProcess& process) { return process.key == key; });
  return found == processes.end() ? nullptr : &*found;
}

std::shared_ptr<const TopSample> TopModel::add(Report standing, std::chrono::nanoseconds elapsed,
                                               const OwnerCache& owners,
                                               std::optional<CostReading> cost) {
  auto sample = std::make_shared<TopSample>();
  sample->latency = standing.latency;
  sample->channels = standing.channels;
  if (standing.duty) sample->duty = standing.duty->share;
  sample->completeness = standing.completeness;
  sample->standing = std::move(standing);
  std::map<LineKey, const Process*> before;
  std::map<LineKey, const Process*> interval;
  if (last_) {
    sample->seconds = std::chrono::duration<double>(elapsed).count();
    sample->total_seconds = last_->total_seconds + sample->seconds;
    sample->between = difference(sample->standing, last_->standing);
    before = by_key(last_->standing);
    interval = by_key(sample->between);
  }
  for (const Process& process : sample->standing.processes) {
    TopProcess line;
    line.key = key_of(process);
    line.ended = process.end_ns.has_value();
    line.total = &process;
    line.owner = owners.of(process);
    line.total_figures = summary_of(process);
    sample->total += line.total_figures;
    const auto earlier = before.find(line.key);
    const bool known = earlier != before.end();
    const bool ended_before = known && earlier->second->end_ns;
    if (const auto found = interval.find(line.key); found != interval.end()) {
      line.interval = found->second;
      line.interval_figures = summary_of(*found->second);
      // Not the difference's own: time moves between user and system as ticks come in.
      const std::uint64_t cpu_before =
          known ? earlier->second->user_ns + earlier->second->system_ns : 0;
      line.interval_figures.cpu_ns =
          line.total_figures.cpu_ns - std::min(cpu_before, line.total_figures.cpu_ns);
      sample->interval += line.interval_figures;
    }
    if (known) before.erase(earlier);
    if (!ended_before) sample->processes.push_back(line);
  }
  for (const auto& [key, process] : before) gone_ += summary_of(*process);
  sample->total += gone_;
  if (cost) {
    sample->cost = {observer_cost(*cost, {}), observer_cost(*cost, cost_)};
    cost_ = std::move(*cost);
  }
  last_ = std::move(sample);
  return last_;
}

void sort_processes(std::vector<const TopProcess*>& processes, ProcessSort by, bool reversed,
                    bool totals) {
  struct Weighed {
    double weight;
    const TopProcess* process;
  };
  std::vector<Weighed> weighed;
  weighed.reserve(processes.size());
  for (const TopProcess* process : processes)
    weighed.push_back({weight(*process, by, totals), process});
  std::sort(weighed.begin(), weighed.end(), [&](const Weighed& a, const Weighed& b) {
    if (const auto order = compare_weights(a.weight, b.weight, reversed); order != 0)
      return order < 0;
    const TopProcess& one = *a.process;
    const TopProcess& other = *b.process;
    // As in the report's table: a process that moves nothing may still be busy.
    if (by == ProcessSort::moved) {
      const auto order = compare_weights(weight(one, ProcessSort::syscalls, totals),
                                         weight(other, ProcessSort::syscalls, totals), reversed);
      if (order != 0) return order < 0;
    }
    if (by == ProcessSort::name && one.total->name != other.total->name)
      return (one.total->name < other.total->name) != reversed;
    if (one.key == other.key) return false;
    return (one.key < other.key) != (reversed && by == ProcessSort::pid);
  });
  std::transform(weighed.begin(), weighed.end(), processes.begin(),
                 [](const Weighed& entry) { return entry.process; });
}

void sort_rows(std::vector<const Row*>& rows, RowSort by, bool reversed) {
  std::sort(rows.begin(), rows.end(), [&](const Row* a, const Row* b) {
    if (const auto order = compare_weights(weight(*a, by), weight(*b, by), reversed); order != 0)
      return order < 0;
    if (by == RowSort::syscall && a->syscall != b->syscall)
      return (a->syscall < b->syscall) != reversed;
    if (a->calls != b->calls) return a->calls > b->calls;
    return std::tie(a->syscall, a->from, a->to) < std::tie(b->syscall, b->from, b->to);
  });
}

bool matches_filter(const Process& process, std::string_view filter) {
  if (filter.empty() || filter == std::to_string(process.pid)) return true;
  const std::string wanted = lower_case(filter);
  if (lower_case(process.name).find(wanted) != std::string::npos) return true;
  return !process.argv.empty() &&
         lower_case(base_name(process.argv.front())).find(wanted) != std::string::npos;
}

std::optional<double> off_cpu_share(const Row& row) {
  if (row.wall_ns == 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(row.off_cpu_ns) / static_cast<double>(row.wall_ns));
}

}  // namespace zctrace
