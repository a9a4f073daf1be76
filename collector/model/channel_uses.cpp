// SPDX-License-Identifier: MIT
// Adds up flows by one of their ends.
#include "collector/model/channel_uses.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <type_traits>
#include <utility>

#include "collector/model/saturating.h"

namespace zctrace {
namespace {

const ChannelName* name_of(const Report& report, const ChannelId& channel) {
  const auto found = report.channel_names.find(channel);
  return found == report.channel_names.end() ? nullptr : &found->second;
}

void add_process(std::set<std::int64_t>& processes, const Process& process) {
  if (process.pid != 0) processes.insert(process.pid);
}

void add_disk_reads(std::optional<std::uint64_t>& sum, const Row& row) {
  if (row.charges == Charges::unknown) sum = std::nullopt;
  if (sum) *sum += row.disk_read_bytes;
}

std::uint64_t moved(const FileUse& use) {
  return use.read_bytes + use.written_bytes + use.mapped_bytes.value_or(0);
}
std::uint64_t moved(const PeerUse& use) { return use.sent_bytes + use.received_bytes; }

// What the whole has more than `part`.
void subtract(FileUse& whole, const FileUse& part) {
  whole.read_bytes = not_below_zero(whole.read_bytes, part.read_bytes);
  whole.written_bytes = not_below_zero(whole.written_bytes, part.written_bytes);
  whole.cpu_copied_bytes = not_below_zero(whole.cpu_copied_bytes, part.cpu_copied_bytes);
  if (whole.disk_read_bytes && part.disk_read_bytes)
    whole.disk_read_bytes = not_below_zero(*whole.disk_read_bytes, *part.disk_read_bytes);
  if (whole.mapped_bytes && part.mapped_bytes)
    whole.mapped_bytes = not_below_zero(*whole.mapped_bytes, *part.mapped_bytes);
}

void subtract(PeerUse& whole, const PeerUse& part) {
  whole.sent_bytes = not_below_zero(whole.sent_bytes, part.sent_bytes);
  whole.received_bytes = not_below_zero(whole.received_bytes, part.received_bytes);
  whole.cpu_copied_bytes = not_below_zero(whole.cpu_copied_bytes, part.cpu_copied_bytes);
  if (whole.retransmits && part.retransmits)
    whole.retransmits = not_below_zero(*whole.retransmits, *part.retransmits);
}

// One end of a row: `source` is the end that bytes come from.
void add_end(FileUse& use, const Row& row, bool source) {
  (source ? use.read_bytes : use.written_bytes) += row.bytes;
  use.cpu_copied_bytes += row.cpu_copied_bytes;
  add_disk_reads(use.disk_read_bytes, row);
}

void add_end(PeerUse& use, const Row& row, bool source) {
  (source ? use.received_bytes : use.sent_bytes) += row.bytes;
  use.cpu_copied_bytes += row.cpu_copied_bytes;
}

void set_end(FileUse& use, const Report& report, const ChannelId& channel, const Row*) {
  use.file = channel;
  use.name = name_of(report, channel);
  if (report.mapped) use.mapped_bytes = 0;
}

bool has_retransmits(const Report& report) {
  return report.channels && !report.unknown.contains("retransmits");
}

void set_end(PeerUse& use, const Report& report, const ChannelId& channel, const Row* row) {
  const ChannelName* const name = name_of(report, channel);
  use.peer = channel;
  use.name = name;
  if (name != nullptr && name->protocol != Protocol::none)
    use.protocol = name->protocol;
  else if (row != nullptr && row->protocol != Protocol::mixed)
    use.protocol = row->protocol;
  if (use.protocol != Protocol::tcp || !has_retransmits(report)) return;
  const auto segments = report.retransmits.find(channel);
  use.retransmits = segments == report.retransmits.end() ? 0 : segments->second;
}

// Only sums have more than their rows and flows.
void begin_sum(const Report& report, FileUse& whole) {
  if (report.mapped) whole.mapped_bytes = 0;
}

void begin_sum(const Report& report, PeerUse& whole) {
  if (has_retransmits(report)) whole.retransmits = 0;
}

template <typename Use>
class UseSums {
 public:
  UseSums(const Report& report, bool (*wanted)(Kind)) : report_(report), wanted_(wanted) {
    begin_sum(report, whole_);
  }

  void add(const Process& process) {
    for (const Row& row : process.rows) {
      if (wanted_(row.from)) add_end(whole_, row, true);
      if (wanted_(row.to)) add_end(whole_, row, false);
    }
    for (const Flow& flow : process.flows) {
      if (wanted_(flow.row.from)) add(process, flow.from, flow.row, true);
      if (wanted_(flow.row.to)) add(process, flow.to, flow.row, false);
    }
    if constexpr (std::is_same_v<Use, FileUse>) {
      if (!report_.mapped) return;
      for (const FaultedFile& mapped : process.mapped_files) add(process, mapped);
    }
  }

  ChannelUses<Use> take(std::size_t most) {
    ChannelUses<Use> uses;
    if constexpr (std::is_same_v<Use, PeerUse>)
      for (const auto& [channel, use] : uses_)
        if (whole_.retransmits) *whole_.retransmits += use.retransmits.value_or(0);
    uses.other = std::move(whole_);
    uses.listed.reserve(uses_.size());
    for (auto& [channel, use] : uses_) uses.listed.push_back(std::move(use));
    std::stable_sort(uses.listed.begin(), uses.listed.end(), [](const Use& one, const Use& other) {
      return std::pair(moved(one), calls_of(one.rows)) >
             std::pair(moved(other), calls_of(other.rows));
    });
    if (uses.listed.size() > most) {
      for (auto use = uses.listed.begin() + static_cast<std::ptrdiff_t>(most);
           use != uses.listed.end(); ++use) {
        uses.other.processes.insert(use->processes.begin(), use->processes.end());
        for (Row& row : use->rows) add_row_by_protocol(uses.other.rows, std::move(row));
        uses.others++;
      }
      uses.listed.resize(most);
    }
    for (const Use& use : uses.listed) subtract(uses.other, use);
    return uses;
  }

 private:
  void add(const Process& process, const ChannelId& channel, const Row& row, bool source) {
    if (!channel) return;
    Use& use = use_of(process, channel, &row);
    add_end(use, row, source);
    add_row_by_protocol(use.rows, row);
  }

  void add(const Process& process, const FaultedFile& mapped) {
    *whole_.mapped_bytes += mapped.bytes;
    if (mapped.file) *use_of(process, mapped.file, nullptr).mapped_bytes += mapped.bytes;
  }

  // `row`: nullptr if it is known from no call.
  Use& use_of(const Process& process, const ChannelId& channel, const Row* row) {
    const auto [found, added] = uses_.try_emplace(channel);
    if (added) set_end(found->second, report_, channel, row);
    add_process(found->second.processes, process);
    return found->second;
  }

  const Report& report_;
  bool (*wanted_)(Kind);
  std::map<ChannelId, Use> uses_;
  Use whole_;  // by the rows
};

template <typename Use>
ChannelUses<Use> uses_of(const Report& report, bool (*wanted)(Kind), std::size_t most) {
  UseSums<Use> sums(report, wanted);
  for (const Process& process : report.processes) sums.add(process);
  sums.add(report.others.sum);
  return sums.take(most);
}

template <typename Use>
ChannelUses<Use> uses_of(const Report& report, const std::vector<const Process*>& processes,
                         bool (*wanted)(Kind), std::size_t most) {
  UseSums<Use> sums(report, wanted);
  for (const Process* process : processes) sums.add(*process);
  return sums.take(most);
}

}  // namespace

std::uint64_t calls_of(const std::vector<Row>& rows) {
  std::uint64_t calls = 0;
  for (const Row& row : rows) calls += row.calls;
  return calls;
}

bool is_file(Kind kind) { return kind == Kind::file || kind == Kind::fuse || kind == Kind::device; }

bool is_peer(Kind kind) { return kind == Kind::socket || kind == Kind::pipe; }

FileUses files_of(const Report& report, std::size_t most) {
  return uses_of<FileUse>(report, is_file, most);
}

FileUses files_of(const Report& report, const Process& process, std::size_t most) {
  return uses_of<FileUse>(report, {&process}, is_file, most);
}

FileUses files_of(const Report& report, const std::vector<const Process*>& processes,
                  std::size_t most) {
  return uses_of<FileUse>(report, processes, is_file, most);
}

PeerUses peers_of(const Report& report, std::size_t most) {
  return uses_of<PeerUse>(report, is_peer, most);
}

PeerUses peers_of(const Report& report, const Process& process, std::size_t most) {
  return uses_of<PeerUse>(report, {&process}, is_peer, most);
}

PeerUses peers_of(const Report& report, const std::vector<const Process*>& processes,
                  std::size_t most) {
  return uses_of<PeerUse>(report, processes, is_peer, most);
}

std::vector<PortUse> ports_of(const PeerUses& peers) {
  std::map<std::tuple<Protocol, std::uint32_t, bool>, PortUse> ports;
  for (const PeerUse& peer : peers.listed) {
    const std::uint32_t local = peer.name == nullptr ? 0 : peer.name->local.port;
    const std::uint32_t remote = peer.name == nullptr ? 0 : peer.name->remote.port;
    if (local == 0) continue;
    const bool serves = remote == 0 || peer.name->bound;
    const std::uint32_t port = serves ? local : remote;
    PortUse& use = ports[{peer.protocol, port, serves}];
    use.protocol = peer.protocol;
    use.port = port;
    use.serves = serves;
    use.peers++;
    use.sum.sent_bytes += peer.sent_bytes;
    use.sum.received_bytes += peer.received_bytes;
    use.sum.cpu_copied_bytes += peer.cpu_copied_bytes;
    if (peer.retransmits) use.sum.retransmits = use.sum.retransmits.value_or(0) + *peer.retransmits;
    use.sum.processes.insert(peer.processes.begin(), peer.processes.end());
    for (const Row& row : peer.rows) add_row_by_protocol(use.sum.rows, row);
  }
  std::vector<PortUse> sorted;
  for (auto& [key, use] : ports) sorted.push_back(std::move(use));
  std::stable_sort(sorted.begin(), sorted.end(), [](const PortUse& one, const PortUse& other) {
    return moved(one.sum) > moved(other.sum);
  });
  return sorted;
}

std::string file_text(const FileUse& use) {
  if (use.name == nullptr)
    return "inode " + std::to_string(use.file.inode) + " of device " + device_text(use.file.device);
  return (use.name->cut ? "..." : "") + use.name->path + (use.name->deleted ? " (deleted)" : "");
}

std::string peer_text(const PeerUse& use) {
  if (use.protocol == Protocol::none) {
    const bool named = use.name != nullptr && !use.name->path.empty();
    return named ? use.name->path : "pipe:[" + std::to_string(use.peer.inode) + "]";
  }
  if (use.name == nullptr) return "socket:[" + std::to_string(use.peer.inode) + "]";
  std::string remote = use.name->remote.text;
  if (remote.empty() && use.name->peer_pid != 0)
    remote = "process " + std::to_string(use.name->peer_pid);
  std::string local = use.name->local.text;
  if (local.empty() && remote.empty()) return "socket:[" + std::to_string(use.peer.inode) + "]";
  if (local.empty()) return remote;
  return remote.empty() ? local : local + " - " + remote;
}

}  // namespace zctrace
