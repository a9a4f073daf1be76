// SPDX-License-Identifier: MIT
// The counts that `export` serves: reports added up by label set, which only grow, also when
// processes end.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cli/views/prometheus/channel_metrics.h"
#include "collector/model/fields.h"
#include "collector/model/report.h"
#include "collector/observe/owner.h"

namespace zctrace {

// The labels of a series: an owner, and what it counts. Empty ones are left out.
struct SeriesLabels {
  std::string name;
  ProcessOwner owner;
  std::string syscall;
  bool flows = false;  // whether `from` and `to` mean anything
  Kind from = Kind::other;
  Kind to = Kind::other;
  Protocol protocol = Protocol::none;

  auto operator<=>(const SeriesLabels&) const = default;
};

// Owns the counts of every label set. Pure. Invariants: the samples of prometheus_view() are never
// more than max_series. A label set that is there stays and only grows, unless space is needed and
// either nothing was added to it for kIdle, or a newcomer is much busier.
class Metrics {
 public:
  using Clock = std::chrono::steady_clock;

  // All that is always there, and room for a handful of label sets.
  static constexpr std::size_t kLeastSeries = 150;
  static constexpr Clock::duration kIdle = std::chrono::minutes(15);

  // All that is always there with them.
  static std::size_t least_series(ChannelsServed channels);

  // Requires max_series >= least_series(). Without `latency` there are no times inside calls.
  Metrics(std::size_t max_series, bool latency, ChannelsServed channels = {});

  // What happened since the report before: `standing` holds the counts as they stand, of all
  // that run and of those that ended since. `owners` knows its processes. `taken_at` is seconds
  // since the epoch, `now` decides which are idle. `mounts` are needed with ChannelsServed::mounts.
  void add(Report standing, const OwnerCache& owners, double taken_at, Clock::time_point now,
           const std::vector<MountEntry>& mounts = {});

  // A process by itself: what belongs to none of its calls.
  struct Outside {
    OutsideFigures figures;
    Delivered delivered;

    Outside& operator+=(const Outside& other);
  };
  template <typename Sums>
  struct Entry {
    Sums sums{};
    Clock::time_point grown;
    std::uint64_t activity = 0;  // what was added lately; halves at each add()
  };
  // Owns the label sets of one kind. Invariant: used <= with_other, without the last resort.
  template <typename Sums>
  struct Table {
    Table(std::size_t series_each, std::size_t room)
        : series(series_each), own(room * 3 / 4), with_other(room) {}

    const std::size_t series;      // that a label set is
    const std::size_t own;         // room for label sets as they are
    const std::size_t with_other;  // with those of name="other" that still name their flow
    std::size_t used = 0;
    std::map<SeriesLabels, Entry<Sums>> entries;
  };
  struct Contents {
    const bool latency;
    Table<Outside> outside;
    Table<Row> calls;
    Table<Row> latencies;
    ChannelMetrics channels;
    std::uint64_t folded = 0;   // series that there was no space for
    std::uint64_t retired = 0;  // series that made space for others
    std::optional<Duty> duty = {};
    Completeness completeness = {};
    std::size_t running = 0;  // processes
    double taken_at = 0;      // seconds since the epoch
  };

  const Contents& contents() const { return held_; }
  // The latest one that was added.
  const Report& standing() const { return last_; }

 private:
  struct Increments {
    std::map<SeriesLabels, Outside> outside;
    std::map<SeriesLabels, Row> rows;
  };

  Increments increments(const Report& between, const OwnerCache& owners);
  template <typename Sums>
  Sums& find_room(Table<Sums>& table, SeriesLabels labels, std::uint64_t activity);
  template <typename Sums>
  bool make_room(Table<Sums>& table, std::uint64_t activity);
  template <typename Sums>
  void retire_idle(Table<Sums>& table);
  void count_folded(const SeriesLabels& labels, std::size_t series);

  Metrics(std::size_t series_by_process, bool latency, ChannelMetrics::SeriesRoom channels);

  Report last_;
  Contents held_;
  bool short_of_room_ = false;  // since the latest add()
  std::unordered_set<std::size_t> folded_hashes_;
  Clock::time_point now_;
};

// Series of a label set of each kind.
inline constexpr std::size_t kOutsideSeries = 3 + exported(kOutsideFields);
inline constexpr std::size_t kCallSeries = exported(kRowFields);
// 2^k ns, borders of the kernel side's buckets. A border belongs to the bucket above it, where
// Prometheus counts it below: one nanosecond's difference.
inline constexpr std::array<unsigned, 15> kBoundOctaves = {8,  9,  10, 12, 14, 16, 18, 20,
                                                           22, 24, 26, 28, 30, 32, 34};
inline constexpr std::size_t kLatencySeries = kBoundOctaves.size() + 3;  // +Inf, sum, count

}  // namespace zctrace
