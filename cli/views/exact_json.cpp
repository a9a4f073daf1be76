// SPDX-License-Identifier: MIT
// The names of the fields are an interface.
#include "cli/views/exact_json.h"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

ordered_json end_json(const SocketEnd& end) {
  return {{"address", text_or_null(end.text)}, {"port", end.port}};
}

ordered_json name_json(const ChannelName& name) {
  return {{"path", text_or_null(name.path)},
          {"deleted", name.deleted},
          {"cut", name.cut},
          {"filesystem", text_or_null(name.file_system)},
          {"protocol", text_or_null(protocol_name(name.protocol))},
          {"local", end_json(name.local)},
          {"remote", end_json(name.remote)},
          {"bound", name.bound},
          {"peer_inode", name.peer_inode},
          {"peer_pid", name.peer_pid}};
}

// The channels that a report lists, each with its place in "channels".
class ListedChannels {
 public:
  ListedChannels(const Report& report, const ChannelLimits& limits) {
    add(files_of(report, limits.files), peers_of(report, limits.peers));
    // A process may list a file that is not among the largest of all.
    for (const Process& process : report.processes)
      add(files_of(report, process, limits.files), peers_of(report, process, limits.peers));
    std::size_t place = 0;
    for (auto& [channel, index] : places_) index = place++;
  }

  ordered_json place_of(const ChannelId& channel) const {
    const auto found = places_.find(channel);
    return found == places_.end() ? ordered_json(nullptr) : ordered_json(found->second);
  }

  ordered_json json(const Report& report) const {
    ordered_json array = ordered_json::array();
    for (const auto& [channel, place] : places_) {
      ordered_json object = {
          {"device", channel.device}, {"inode", channel.inode}, {"generation", channel.generation}};
      const auto name = report.channel_names.find(channel);
      const bool named = name != report.channel_names.end();
      object["kind"] = named ? ordered_json(kind_name(name->second.kind)) : ordered_json(nullptr);
      object["name"] = named ? name_json(name->second) : ordered_json(nullptr);
      array.push_back(std::move(object));
    }
    return array;
  }

  // With unlisted ends left out, flows may have become alike.
  ordered_json flows_json(const std::vector<Flow>& flows) const {
    std::vector<Flow> merged;
    std::vector<Flow> listed = flows;
    for (Flow& flow : listed) {
      if (!places_.contains(flow.from)) flow.from = {};
      if (!places_.contains(flow.to)) flow.to = {};
    }
    merge_flows(merged, listed);
    ordered_json array = ordered_json::array();
    for (const Flow& flow : merged) {
      ordered_json object = {{"from_channel", place_of(flow.from)},
                             {"to_channel", place_of(flow.to)}};
      object.update(row_json(flow.row, {}));
      array.push_back(std::move(object));
    }
    return array;
  }

  ordered_json mapped_json(const std::vector<FaultedFile>& files) const {
    std::vector<FaultedFile> listed = files;
    for (FaultedFile& mapped : listed)
      if (!places_.contains(mapped.file)) mapped.file = {};
    std::vector<FaultedFile> merged;
    merge_mapped_files(merged, listed);
    ordered_json array = ordered_json::array();
    for (const FaultedFile& mapped : merged)
      array.push_back(
          {{"channel", place_of(mapped.file)}, {"bytes", mapped.bytes}, {"faults", mapped.faults}});
    return array;
  }

  ordered_json retransmits_json(const std::map<ChannelId, std::uint64_t>& retransmits) const {
    std::map<ChannelId, std::uint64_t> listed;
    for (const auto& [socket, segments] : retransmits)
      listed[places_.contains(socket) ? socket : ChannelId{}] += segments;
    ordered_json array = ordered_json::array();
    for (const auto& [socket, segments] : listed)
      array.push_back({{"channel", place_of(socket)}, {"segments", segments}});
    return array;
  }

 private:
  void add(const FileUses& files, const PeerUses& peers) {
    for (const FileUse& use : files.listed) places_.emplace(use.file, 0);
    for (const PeerUse& use : peers.listed) places_.emplace(use.peer, 0);
  }

  std::map<ChannelId, std::size_t> places_;
};

}  // namespace

ordered_json buckets_json(const Histogram& latency) {
  ordered_json object = ordered_json::object();
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket)
    if (latency.count(bucket) != 0)
      object[std::to_string(Histogram::lower_bound_ns(bucket))] = latency.count(bucket);
  return object;
}

void add_exact_json(ordered_json& object, const Row& row) {
  if (row.zeroed_bytes != 0) object["zeroed_bytes"] = row.zeroed_bytes;
  if (row.discarded_bytes != 0) object["discarded_bytes"] = row.discarded_bytes;
}

void add_pipes_json(ordered_json& object, const Process& process) {
  if (process.delivered_to_pipes == 0 && process.delivered_to_pipes_in_kernel == 0 &&
      process.spliced_from_user == 0)
    return;
  object["pipes"] = {{"delivered_bytes", process.delivered_to_pipes},
                     {"delivered_in_kernel_bytes", process.delivered_to_pipes_in_kernel},
                     {"spliced_from_user_bytes", process.spliced_from_user}};
}

void add_flows_json(ordered_json& object, const Report& report, const ChannelLimits& limits) {
  const ListedChannels channels(report, limits);
  object["channels"] = channels.json(report);
  for (std::size_t i = 0; i < report.processes.size(); ++i)
    object["processes"][i]["flows"] = channels.flows_json(report.processes[i].flows);
  object["other_processes"]["flows"] = channels.flows_json(report.others.sum.flows);
  object["retransmits"] = channels.retransmits_json(report.retransmits);
  if (!report.mapped) return;
  for (std::size_t i = 0; i < report.processes.size(); ++i)
    object["processes"][i]["mapped"] = channels.mapped_json(report.processes[i].mapped_files);
  object["other_processes"]["mapped"] = channels.mapped_json(report.others.sum.mapped_files);
}

ordered_json estimate_json(const SlicedRow& row) {
  return {{"slices", row.slices},
          {"calls_error", or_null(sliced_error(row.calls_variance, row.slices))},
          {"bytes_error", or_null(sliced_error(row.bytes_variance, row.slices))}};
}

ordered_json estimate_json(const SlicedSum& sum) {
  const auto error = [&sum](double variance) {
    return or_null(sliced_error(variance, sum.slices));
  };
  return {{"slices", sum.slices},
          {"syscalls_error", error(sum.syscalls_variance)},
          {"delivered_bytes_error", error(sum.delivered_bytes_variance)},
          {"cpu_copied_bytes_error", error(sum.cpu_copied_bytes_variance)}};
}

}  // namespace zctrace
