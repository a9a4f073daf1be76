// SPDX-License-Identifier: MIT
// Differences of reports, summed by label set, in a limited number of series.
#include "cli/views/prometheus/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "cli/text/printable.h"
#include "collector/model/whole_flows.h"

namespace zctrace {
namespace {

// Space for the last resort, one "other" for everything, is always reserved.
constexpr std::size_t kLastResortSeries = kOutsideSeries + kCallSeries + kLatencySeries;
// Single metrics, and a series for each reason of a loss (tests/cli/export counts these).
constexpr std::size_t kFixedSeries = 10 + 13;
static_assert(kFixedSeries + kLastResortSeries < Metrics::kLeastSeries);

// The number of folded series is counted up to here; beyond it, a larger one says nothing more.
constexpr std::size_t kFoldedRemembered = 65536;
constexpr std::string_view kOther = "other";

// A newcomer takes the place of another series only if it moves more than this between two
// readings, and more than twice as much as the other. Otherwise equals would take turns.
constexpr std::uint64_t kLeastActivity = 4096;
// So many bytes weigh as much as one call.
constexpr std::uint64_t kBytesOfACall = 256;

constexpr std::size_t room(std::size_t max_series) {
  return max_series - kFixedSeries - kLastResortSeries;
}

// A name may hold any byte. Prometheus itself escapes only quotes, backslashes and line ends; what
// else would confuse a terminal or a log becomes visible here.
std::string label_value(std::string_view text) {
  std::string value;
  for (const char c : valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    value += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return value;
}

// The part of all series that those by port may be, and those by mount.
constexpr std::size_t kChannelPart = 5;

ChannelMetrics::SeriesRoom channel_room(std::size_t max_series, ChannelsServed channels) {
  const std::size_t part = max_series / kChannelPart;
  return {channels.ports ? part : 0, channels.mounts ? part : 0};
}

// Even with the least room there is a process that is named.
constexpr std::size_t outside_room(std::size_t max_series) {
  return std::max(room(max_series) / 8, 2 * kOutsideSeries);
}

constexpr std::size_t latency_room(std::size_t max_series) { return room(max_series) * 3 / 8; }
static_assert(outside_room(Metrics::kLeastSeries) + latency_room(Metrics::kLeastSeries) +
                  kCallSeries * 4 / 3 <
              room(Metrics::kLeastSeries));

// Of the time of all calls, the part of those in the histogram. The others take as long on average.
std::uint64_t timed_ns(const Row& row) {
  if (row.sample.untimed == 0) return row.wall_ns;
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(row.wall_ns) *
                                    row.latency.total() / row.clocked_calls());
}

// The time that the sum has is that of its histogram.
void add_to(Row& sum, const Row& row) {
  // A row of files on disk joins some of files in memory, whose pages are not charged.
  sum.in_memory = row.in_memory && (sum.in_memory || sum.calls == 0);
  // A series that has once had bytes keeps showing them.
  if (row.copy != Copy::none) sum.copy = row.copy;
  add_figures<RowFigures>(sum, row, kRowFields);
  sum.wall_ns -= row.wall_ns - timed_ns(row);
  sum.latency += row.latency;
  // What was measured stays shown where other rows join it in one series.
  if (row.charges == Charges::measured) sum.charges = Charges::measured;
}

}  // namespace

Metrics::Outside& Metrics::Outside::operator+=(const Outside& other) {
  add_figures(figures, other.figures, kOutsideFields);
  delivered += other.delivered;
  return *this;
}

std::size_t Metrics::least_series(ChannelsServed channels) {
  // In steps that are easy to remember. A fifth of two hundred is ChannelMetrics::kLeastSeries.
  std::size_t least = kLeastSeries;
  const auto rest = [&] {
    const ChannelMetrics::SeriesRoom room = channel_room(least, channels);
    return least - room.ports - room.mounts;
  };
  while (rest() < kLeastSeries) least += 50;
  return least;
}

Metrics::Metrics(std::size_t max_series, bool latency, ChannelsServed channels)
    : Metrics(max_series - channel_room(max_series, channels).ports -
                  channel_room(max_series, channels).mounts,
              latency, channel_room(max_series, channels)) {}

// Each kind has a share of its own, so that none can crowd out another.
Metrics::Metrics(std::size_t max_series, bool latency, ChannelMetrics::SeriesRoom channels)
    : held_{.latency = latency,
            .outside = {kOutsideSeries, outside_room(max_series)},
            .calls = {kCallSeries, room(max_series) - outside_room(max_series) -
                                       (latency ? latency_room(max_series) : 0)},
            .latencies = {kLatencySeries, latency_room(max_series)},
            .channels = ChannelMetrics(channels)} {}

// By owner and flow, before space is checked: many processes share a name.
Metrics::Increments Metrics::increments(const Report& between, const OwnerCache& owners) {
  Increments sums;
  for (const Process& process : between.processes) {
    SeriesLabels labels;
    labels.name = label_value(process.name);
    labels.owner = owners.of(process);
    labels.owner.unit = label_value(labels.owner.unit);
    Outside increment;
    increment.figures = process.outside_syscalls;
    increment.delivered = delivered_by(process);
    sums.outside[labels] += increment;
    labels.flows = true;
    for (const Row& row : shown_rows_by_protocol(process.rows)) {
      labels.syscall = row.syscall;
      labels.from = row.from;
      labels.to = row.to;
      labels.protocol = row.protocol;
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
  mix(static_cast<std::size_t>(labels.from) << 16 | static_cast<std::size_t>(labels.to) << 8 |
      static_cast<std::size_t>(labels.protocol));
  if (folded_hashes_.insert(hash).second) held_.folded += series;
}

// Removes the label set that was least active lately, if a newcomer is much busier. The counts of
// the removed one are dropped rather than added to "other", where rate() would take them for new.
template <typename Sums>
bool Metrics::make_room(Table<Sums>& table, std::uint64_t activity) {
  auto least = table.entries.end();
  for (auto entry = table.entries.begin(); entry != table.entries.end(); ++entry)
    if (entry->first.name != kOther &&
        (least == table.entries.end() || entry->second.activity < least->second.activity))
      least = entry;
  if (least == table.entries.end() || activity < kLeastActivity ||
      activity / 2 <= least->second.activity)
    return false;
  table.entries.erase(least);
  table.used -= table.series;
  held_.retired += table.series;
  return true;
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
Sums& Metrics::find_room(Table<Sums>& table, SeriesLabels labels, std::uint64_t activity) {
  const auto find = [&](std::size_t limit) -> Sums* {
    auto found = table.entries.find(labels);
    if (found == table.entries.end()) {
      if (table.used + table.series > limit) return nullptr;
      table.used += table.series;
      found = table.entries.try_emplace(labels).first;
    }
    found->second.grown = now_;
    found->second.activity += activity;
    return &found->second.sums;
  };
  if (Sums* own = find(table.own)) return *own;
  // The space that this frees may be part of what series of "other" take.
  if (make_room(table, activity))
    if (Sums* own = find(table.with_other)) return *own;
  short_of_room_ = true;
  count_folded(labels, table.series);
  labels.name = kOther;
  labels.owner = {};
  if (Sums* other = find(table.with_other)) return *other;
  if (labels.flows) {
    labels.syscall = kOther;
    labels.from = labels.to = Kind::other;
    labels.protocol = Protocol::none;
  }
  return table.entries[labels].sums;  // its space is reserved
}

void Metrics::add(Report standing, const OwnerCache& owners, double taken_at, Clock::time_point now,
                  const std::vector<MountEntry>& mounts) {
  const Report between = difference_with_whole_flows(standing, last_);
  const Increments sums = increments(between, owners);
  held_.channels.add(between, mounts, now);
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
    return a.second->delivered.bytes > b.second->delivered.bytes;
  });
  last_ = std::move(standing);

  now_ = now;
  held_.taken_at = taken_at;
  held_.duty = last_.duty;
  held_.completeness = last_.completeness;
  held_.running = static_cast<std::size_t>(
      std::count_if(last_.processes.begin(), last_.processes.end(),
                    [](const Process& process) { return !process.end_ns; }));
  if (std::exchange(short_of_room_, false)) {
    retire_idle(held_.outside);
    retire_idle(held_.calls);
    retire_idle(held_.latencies);
  }
  const auto age = [](auto& table) {
    for (auto& [labels, entry] : table.entries) entry.activity /= 2;
  };
  age(held_.outside);
  age(held_.calls);
  age(held_.latencies);
  const auto activity_of = [](const Row& row) { return row.bytes + kBytesOfACall * row.calls; };
  for (const auto& [labels, increment] : outside)
    find_room(held_.outside, *labels, increment->delivered.bytes) += *increment;
  for (const auto& [labels, row] : rows)
    add_to(find_room(held_.calls, *labels, activity_of(*row)), *row);
  for (const auto& [labels, row] : rows)
    if (row->latency.total() != 0)
      add_to(find_room(held_.latencies, *labels, activity_of(*row)), *row);
}

}  // namespace zctrace
