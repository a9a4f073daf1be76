// SPDX-License-Identifier: MIT
// Reports added up into Prometheus' metric families: counters that only grow, whoever ends.
#pragma once

#include <prometheus/metric_family.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "collector/model/report.h"
#include "collector/observe/owner.h"

namespace zctrace {

// What zctrace itself costs.
struct SelfCost {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
};

// Whose series, and of what; empty strings are labels that are left out.
struct SeriesLabels {
  std::string name;
  Place place;
  std::string syscall;
  bool flows = false;  // whether `from` and `to` mean anything
  Kind from = Kind::other;
  Kind to = Kind::other;

  auto operator<=>(const SeriesLabels&) const = default;
};

// Owns the counts of every label set. Pure but for its lock: one thread adds, any thread reads.
// Invariants: the samples of families(), with those that prometheus::Exposer adds of its own,
// are never more than max_series. A label set that is there stays and only grows, unless room
// is needed and nothing was added to it for kIdle.
class Metrics {
 public:
  using Clock = std::chrono::steady_clock;

  // All that is always there, and room for a handful of label sets.
  static constexpr std::size_t kLeastSeries = 100;
  static constexpr Clock::duration kIdle = std::chrono::minutes(15);

  // Requires max_series >= kLeastSeries. Without `latency` there are no times inside calls.
  Metrics(std::size_t max_series, bool latency);

  // What happened since the report before: `standing` holds the counts as they stand, of all
  // that run and of those that ended since. `places` knows its processes. `taken_at` is seconds
  // since the epoch, `now` decides who is idle.
  void add(Report standing, const Places& places, double taken_at, Clock::time_point now);

  std::vector<prometheus::MetricFamily> families(const SelfCost& self) const;

 private:
  // A process by itself: what belongs to none of its calls.
  struct Outside {
    Switches switches;
    std::uint64_t off_cpu_ns = 0;
    std::uint64_t delivered_bytes = 0;
    std::uint64_t zero_copy_bytes = 0;

    Outside& operator+=(const Outside& other);
  };
  template <typename Sums>
  struct Entry {
    Sums sums{};
    Clock::time_point grown;
  };
  // Owns the label sets of one kind. Invariant: used <= with_other, the last resort's aside.
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
  struct Increments {
    std::map<SeriesLabels, Outside> outside;
    std::map<SeriesLabels, Row> rows;
  };
  struct Delivered {
    std::uint64_t bytes = 0;
    std::uint64_t zero_copy_bytes = 0;
  };

  Increments increments(const Report& standing, const Report& between, const Places& places);
  template <typename Sums>
  Sums& find_room(Table<Sums>& table, SeriesLabels labels);
  template <typename Sums>
  void retire_idle(Table<Sums>& table);
  void count_folded(const SeriesLabels& labels, std::size_t series);

  const bool latency_;

  // Only add() looks at these.
  Report last_;
  std::map<std::pair<std::int64_t, std::uint64_t>, Delivered> delivered_;  // of who still runs

  mutable std::mutex mutex_;  // of all that follows
  Table<Outside> outside_;
  Table<Row> calls_;
  Table<Row> latencies_;
  std::uint64_t folded_ = 0;
  std::uint64_t retired_ = 0;
  bool short_of_room_ = false;  // since the latest add()
  std::unordered_set<std::size_t> folded_hashes_;
  Clock::time_point now_;
  Completeness completeness_;
  std::size_t running_ = 0;
  double taken_at_ = 0;
};

}  // namespace zctrace
