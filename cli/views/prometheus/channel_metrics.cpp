// SPDX-License-Identifier: MIT
// Sums by port and by mount, in a limited number of series.
#include "cli/views/prometheus/channel_metrics.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "cli/text/printable.h"
#include "collector/model/channel_uses.h"

namespace zctrace {
namespace {

// The number of folded label sets is counted up to here.
constexpr std::size_t kFoldedRemembered = 65536;

// The label sets that sum up the others.
PortLabels others_of(const PortLabels&) { return {"other", "", ""}; }
MountLabels others_of(const MountLabels&) { return {"other", "", ""}; }

std::size_t hash_of(std::initializer_list<const std::string*> texts) {
  std::size_t hash = 0;
  for (const std::string* text : texts)
    hash ^= std::hash<std::string>()(*text) + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
  return hash;
}
std::size_t hash_of(const PortLabels& labels) {
  return hash_of({&labels.protocol, &labels.port, &labels.role});
}
std::size_t hash_of(const MountLabels& labels) {
  return hash_of({&labels.mountpoint, &labels.fstype, &labels.device});
}

std::uint64_t moved(const PortSums& sums) { return sums.sent_bytes + sums.received_bytes; }
std::uint64_t moved(const MountSums& sums) {
  return sums.read_bytes + sums.written_bytes + sums.mapped_bytes;
}

template <typename Labels, typename Sums>
std::vector<std::pair<Labels, Sums>> largest_first(const std::map<Labels, Sums>& sums) {
  std::vector<std::pair<Labels, Sums>> sorted(sums.begin(), sums.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
    return moved(one.second) > moved(other.second);
  });
  return sorted;
}

std::map<PortLabels, PortSums> by_port(const Report& between) {
  std::map<PortLabels, PortSums> sums;
  for (const PortUse& use : ports_of(peers_of(between, SIZE_MAX)))
    sums[{std::string(protocol_name(use.protocol)), std::to_string(use.port),
          use.serves ? "server" : "client"}] +=
        {use.sum.sent_bytes, use.sum.received_bytes, use.sum.cpu_copied_bytes,
         use.sum.retransmits.value_or(0)};
  return sums;
}

// Where the file systems are mounted: at the root of each, or wherever a part of it is.
class Mounts {
 public:
  explicit Mounts(const std::vector<MountEntry>& mounts) {
    for (const MountEntry& mount : mounts) {
      const auto [found, added] = by_device_.emplace(mount.device, &mount);
      // The first of several is the outermost, as a rule: the others are bind mounts.
      if (!added && mount.target.size() < found->second->target.size()) found->second = &mount;
    }
  }

  MountLabels labels_of(std::uint32_t device, const ChannelName* name) const {
    MountLabels labels{"", "", device_text(device)};
    if (const auto found = by_device_.find(labels.device); found != by_device_.end()) {
      labels.mountpoint = printable(found->second->target, true);
      labels.fstype = printable(found->second->type, true);
    } else if (name != nullptr) {
      labels.fstype = printable(name->file_system, true);
    }
    return labels;
  }

 private:
  std::map<std::string, const MountEntry*> by_device_;
};

std::map<MountLabels, MountSums> by_mount(const Report& between,
                                          const std::vector<MountEntry>& entries) {
  const Mounts mounts(entries);
  struct DeviceUse {
    const ChannelName* name = nullptr;
    MountSums sums;
  };
  std::map<std::uint32_t, DeviceUse> devices;
  const auto use_of = [&](const ChannelId& file) -> MountSums& {
    DeviceUse& use = devices[file.device];
    if (use.name == nullptr)
      if (const auto name = between.channel_names.find(file); name != between.channel_names.end())
        use.name = &name->second;
    return use.sums;
  };
  const auto add_end = [&](const ChannelId& file, const Row& row, std::uint64_t MountSums::*bytes) {
    if (!file) return;
    MountSums& sums = use_of(file);
    sums.*bytes += row.bytes;
    sums.cpu_copied_bytes += row.cpu_copied_bytes;
    sums.disk_read_bytes += row.disk_read_bytes;
  };
  const auto add = [&](const Process& process) {
    for (const Flow& flow : process.flows) {
      if (is_file(flow.row.from)) add_end(flow.from, flow.row, &MountSums::read_bytes);
      if (is_file(flow.row.to)) add_end(flow.to, flow.row, &MountSums::written_bytes);
    }
    for (const FaultedFile& mapped : process.mapped_files)
      if (mapped.file) use_of(mapped.file).mapped_bytes += mapped.bytes;
  };
  for (const Process& process : between.processes) add(process);
  add(between.others.sum);
  std::map<MountLabels, MountSums> sums;
  for (const auto& [device, use] : devices) sums[mounts.labels_of(device, use.name)] += use.sums;
  return sums;
}

}  // namespace

PortSums& PortSums::operator+=(const PortSums& other) {
  sent_bytes += other.sent_bytes;
  received_bytes += other.received_bytes;
  cpu_copied_bytes += other.cpu_copied_bytes;
  retransmits += other.retransmits;
  return *this;
}

MountSums& MountSums::operator+=(const MountSums& other) {
  read_bytes += other.read_bytes;
  written_bytes += other.written_bytes;
  cpu_copied_bytes += other.cpu_copied_bytes;
  disk_read_bytes += other.disk_read_bytes;
  mapped_bytes += other.mapped_bytes;
  return *this;
}

// The label set itself, or the sum of the others, whose space is reserved. The counts of what is
// removed are dropped rather than added to the others, where rate() would take them for new.
template <typename Labels, typename Sums>
Sums& LimitedSums<Labels, Sums>::find(const Labels& labels, Clock::time_point now) {
  const Labels others = others_of(labels);
  auto found = entries_.find(labels);
  const auto is_full = [&] { return entries_.size() + !entries_.contains(others) >= room_; };
  if (found == entries_.end() && is_full())
    retired_ += std::erase_if(entries_, [&](const auto& entry) {
      return entry.first != others && now - entry.second.grown > kIdle;
    });
  if (found == entries_.end() && is_full()) {
    if (folded_.size() < kFoldedRemembered) folded_.insert(hash_of(labels));
    return entries_[others].sums;
  }
  if (found == entries_.end()) found = entries_.try_emplace(labels).first;
  found->second.grown = now;
  return found->second.sums;
}

template <typename Labels, typename Sums>
void LimitedSums<Labels, Sums>::add(const std::vector<std::pair<Labels, Sums>>& increments,
                                    Clock::time_point now) {
  for (const auto& [labels, sums] : increments) find(labels, now) += sums;
}

template class LimitedSums<PortLabels, PortSums>;
template class LimitedSums<MountLabels, MountSums>;

ChannelMetrics::ChannelMetrics(SeriesRoom room)
    : room_(room), ports_(room.ports / kPortSeries), mounts_(room.mounts / kMountSeries) {}

void ChannelMetrics::add(const Report& between, const std::vector<MountEntry>& mounts,
                         Clock::time_point now) {
  unknown_ = between.unknown;
  if (has_ports()) ports_.add(largest_first(by_port(between)), now);
  if (has_mounts()) mounts_.add(largest_first(by_mount(between, mounts)), now);
}

std::uint64_t ChannelMetrics::folded_series() const {
  return ports_.folded() * kPortSeries + mounts_.folded() * kMountSeries;
}

std::uint64_t ChannelMetrics::retired_series() const {
  return ports_.retired() * kPortSeries + mounts_.retired() * kMountSeries;
}

}  // namespace zctrace
