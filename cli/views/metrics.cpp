// SPDX-License-Identifier: MIT
// Differences of reports, summed by label set, in a limited number of series.
#include "cli/views/metrics.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "cli/text/printable.h"

namespace zctrace {
namespace {

// Space for the last resort, one "other" for everything, is always reserved.
constexpr std::size_t kLastResortSeries = kOutsideSeries + kCallSeries + kLatencySeries;
// Single metrics, and a series for each reason of a loss.
constexpr std::size_t kFixedSeries = 10 + 8;
static_assert(kFixedSeries + kLastResortSeries < Metrics::kLeastSeries);

// The number of folded series is counted up to here; beyond it, a larger one says nothing more.
constexpr std::size_t kFoldedRemembered = 65536;
constexpr std::string_view kOther = "other";

constexpr std::size_t room(std::size_t max_series) {
  return max_series - kFixedSeries - kLastResortSeries;
}

void add_to(Row& sum, const Row& row) {
  // A series that has once had bytes keeps showing them.
  if (row.copy != Copy::none) sum.copy = row.copy;
  add_figures<RowFigures>(sum, row, kRowFields);
  sum.latency += row.latency;
}

}  // namespace

Metrics::Outside& Metrics::Outside::operator+=(const Outside& other) {
  add_figures(figures, other.figures, kOutsideFields);
  delivered_bytes += other.delivered_bytes;
  zero_copy_bytes += other.zero_copy_bytes;
  return *this;
}

// Each kind has a share of its own, so that none can crowd out another.
Metrics::Metrics(std::size_t max_series, bool latency)
    : held_{.latency = latency,
            .outside = {kOutsideSeries, room(max_series) / 8},
            .calls = {kCallSeries, room(max_series) * (latency ? 4 : 7) / 8},
            .latencies = {kLatencySeries, room(max_series) * 3 / 8}} {}

// By owner and flow, before space is checked: many processes share a name.
Metrics::Increments Metrics::increments(const Report& between, const OwnerCache& owners) {
  Increments sums;
  for (const Process& process : between.processes) {
    SeriesLabels labels;
    labels.name = valid_utf8(process.name);
    labels.owner = owners.of(process);
    labels.owner.unit = valid_utf8(labels.owner.unit);
    Outside increment;
    increment.figures = process.outside_syscalls;
    increment.delivered_bytes = process.delivered_bytes();
    increment.zero_copy_bytes = process.zero_copy_bytes();
    sums.outside[labels] += increment;
    labels.flows = true;
    for (const Row& row : shown_rows(process.rows)) {
      labels.syscall = row.syscall;
      labels.from = row.from;
      labels.to = row.to;
      add_to(sums.rows[labels], row);
    }
  }
  return sums;
}

void Metrics::count_folded(const SeriesLabels& labels, std::size_t series) {
  if (folded_hashes_.size() >= kFoldedRemembered) return;
  std::size_t hash = series;  // the kinds have different numbers
  const auto mix = [&hash](std::size_t value) {
    hash ^= value + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
  };
  for (const std::string* text : {&labels.name, &labels.owner.unit, &labels.owner.container_id,
                                  &labels.owner.pod_uid, &labels.syscall})
    mix(std::hash<std::string>()(*text));
  mix(static_cast<std::size_t>(labels.from) << 8 | static_cast<std::size_t>(labels.to));
  if (folded_hashes_.insert(hash).second) held_.folded += series;
}

template <typename Sums>
void Metrics::retire_idle(Table<Sums>& table) {
  const std::size_t retired =
      table.series * std::erase_if(table.entries, [this](const auto& item) {
        return item.first.name != kOther && now_ - item.second.grown > kIdle;
      });
  table.used -= retired;
  held_.retired += retired;
}

// The label set itself, or what it folds into: first only the owner is lost, then all.
template <typename Sums>
Sums& Metrics::find_room(Table<Sums>& table, SeriesLabels labels) {
  const auto find = [&](std::size_t limit) -> Sums* {
    auto found = table.entries.find(labels);
    if (found == table.entries.end()) {
      if (table.used + table.series > limit) return nullptr;
      table.used += table.series;
      found = table.entries.try_emplace(labels).first;
    }
    found->second.grown = now_;
    return &found->second.sums;
  };
  if (Sums* own = find(table.own)) return *own;
  short_of_room_ = true;
  count_folded(labels, table.series);
  labels.name = kOther;
  labels.owner = {};
  if (Sums* other = find(table.with_other)) return *other;
  if (labels.flows) {
    labels.syscall = kOther;
    labels.from = labels.to = Kind::other;
  }
  return table.entries[labels].sums;  // its space is reserved
}

void Metrics::add(Report standing, const OwnerCache& owners, double taken_at,
                  Clock::time_point now) {
  const Report between = difference(standing, last_);
  const Increments sums = increments(between, owners);
  // Where there is not room for all, those that move the most come first.
  std::vector<std::pair<const SeriesLabels*, const Row*>> rows;
  for (const auto& [labels, row] : sums.rows) rows.emplace_back(&labels, &row);
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->bytes, a.second->calls) >
           std::pair(b.second->bytes, b.second->calls);
  });
  std::vector<std::pair<const SeriesLabels*, const Outside*>> outside;
  for (const auto& [labels, increment] : sums.outside) outside.emplace_back(&labels, &increment);
  std::stable_sort(outside.begin(), outside.end(), [](const auto& a, const auto& b) {
    return a.second->delivered_bytes > b.second->delivered_bytes;
  });
  last_ = std::move(standing);

  now_ = now;
  held_.taken_at = taken_at;
  held_.completeness = last_.completeness;
  held_.running = static_cast<std::size_t>(
      std::count_if(last_.processes.begin(), last_.processes.end(),
                    [](const Process& process) { return !process.end_ns; }));
  if (std::exchange(short_of_room_, false)) {
    retire_idle(held_.outside);
    retire_idle(held_.calls);
    retire_idle(held_.latencies);
  }
  for (const auto& [labels, increment] : outside) find_room(held_.outside, *labels) += *increment;
  for (const auto& [labels, row] : rows) add_to(find_room(held_.calls, *labels), *row);
  for (const auto& [labels, row] : rows)
    if (row->latency.total() != 0) add_to(find_room(held_.latencies, *labels), *row);
}

}  // namespace zctrace
