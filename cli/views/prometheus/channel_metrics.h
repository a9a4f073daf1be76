// SPDX-License-Identifier: MIT
// The counts that `export` serves by port and by mount: reports added up, which only grow.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "collector/model/report.h"
#include "collector/os/mountinfo.h"

namespace zctrace {

// A port of a service. One without `port` is the sum of those that there was no space for.
struct PortLabels {
  std::string protocol;
  std::string port;
  std::string role;  // "server" or "client"

  auto operator<=>(const PortLabels&) const = default;
};

// A mounted file system, with the labels of node_exporter's metrics. Without all: the sum of those
// that there was no space for.
struct MountLabels {
  std::string mountpoint;  // "": nowhere in zctrace's mount namespace
  std::string fstype;
  std::string device;  // major:minor

  auto operator<=>(const MountLabels&) const = default;
};

struct PortSums {
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t cpu_copied_bytes = 0;
  std::uint64_t retransmits = 0;

  PortSums& operator+=(const PortSums& other);
};

struct MountSums {
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t cpu_copied_bytes = 0;
  std::uint64_t disk_read_bytes = 0;
  std::uint64_t mapped_bytes = 0;

  MountSums& operator+=(const MountSums& other);
};

inline constexpr std::size_t kPortSeries = 4;
inline constexpr std::size_t kMountSeries = 5;

// Owns the sums of a limited number of label sets. Invariant: a label set that is there stays and
// only grows, unless space is needed and nothing was added to it for kIdle.
template <typename Labels, typename Sums>
class LimitedSums {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::duration kIdle = std::chrono::minutes(15);

  // `room`: label sets, with that of the others.
  explicit LimitedSums(std::size_t room) : room_(room) {}

  // What was added since the last time; those that move the most come first.
  void add(const std::vector<std::pair<Labels, Sums>>& increments, Clock::time_point now);

  struct SeriesSums {
    Sums sums{};
    Clock::time_point grown;
  };
  const std::map<Labels, SeriesSums>& entries() const { return entries_; }
  // Label sets that there was no space for, and that were removed to make space.
  std::uint64_t folded() const { return folded_.size(); }
  std::uint64_t retired() const { return retired_; }

 private:
  Sums& find(const Labels& labels, Clock::time_point now);

  std::size_t room_;
  std::map<Labels, SeriesSums> entries_;
  std::unordered_set<std::size_t> folded_;  // hashes; their number stops at a limit
  std::uint64_t retired_ = 0;
};

// What is asked for.
struct ChannelsServed {
  bool ports = false;
  bool mounts = false;
};

class ChannelMetrics {
 public:
  using Clock = std::chrono::steady_clock;

  // How many series each may have; 0: not asked for. At least kLeastSeries otherwise.
  struct SeriesRoom {
    std::size_t ports = 0;
    std::size_t mounts = 0;
  };
  static constexpr std::size_t kLeastSeries = 40;

  explicit ChannelMetrics(SeriesRoom room);

  // What happened since the report before; `mounts` as they are now.
  void add(const Report& between, const std::vector<MountEntry>& mounts, Clock::time_point now);

  const LimitedSums<PortLabels, PortSums>& ports() const { return ports_; }
  const LimitedSums<MountLabels, MountSums>& mounts() const { return mounts_; }
  bool has_ports() const { return room_.ports != 0; }
  bool has_mounts() const { return room_.mounts != 0; }
  // Whether the latest report knew this figure, by its name in JSON.
  bool knows(const std::string& figure) const { return !unknown_.contains(figure); }
  std::uint64_t folded_series() const;
  std::uint64_t retired_series() const;

 private:
  SeriesRoom room_;
  std::map<std::string, std::string> unknown_;
  LimitedSums<PortLabels, PortSums> ports_;
  LimitedSums<MountLabels, MountSums> mounts_;
};

}  // namespace zctrace
