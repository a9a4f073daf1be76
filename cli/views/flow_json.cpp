// SPDX-License-Identifier: MIT
// The names of the fields are an interface.
#include "cli/views/flow_json.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "collector/model/channel_uses.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

struct ProcessFlow {
  std::int64_t pid = 0;  // 0: of processes that are not listed
  const Flow* flow = nullptr;
};

void append_flows(std::vector<ProcessFlow>& all, const Process& process) {
  for (const Flow& flow : process.flows)
    if (flow.row.bytes != 0) all.push_back({process.pid, &flow});
}

const ChannelName* name_of(const Report& report, const ChannelId& channel) {
  const auto found = report.channel_names.find(channel);
  return found == report.channel_names.end() ? nullptr : &found->second;
}

// A name is null for user memory, and where the channel is not known.
ordered_json end_json(const Report& report, Kind kind, const Row& row, const ChannelId& channel) {
  ordered_json end = {{"kind", kind_name(kind)}, {"name", nullptr}, {"inode", nullptr}};
  if (!channel) return end;
  const ChannelName* const name = name_of(report, channel);
  if (is_file(kind) && name != nullptr) {
    FileUse use;
    use.file = channel;
    use.name = name;
    end["name"] = valid_utf8(file_text(use));
  } else if (is_peer(kind)) {
    PeerUse use;
    use.peer = channel;
    use.name = name;
    use.protocol = name != nullptr && name->protocol != Protocol::none ? name->protocol
                   : row.protocol != Protocol::mixed                   ? row.protocol
                                                                       : Protocol::none;
    end["name"] = valid_utf8(peer_text(use));
  }
  end["inode"] = channel.inode;
  return end;
}

}  // namespace

void add_flows_json(ordered_json& object, const Report& report, std::size_t most) {
  std::vector<ProcessFlow> all;
  for (const Process& process : report.processes) append_flows(all, process);
  append_flows(all, report.others.sum);
  std::stable_sort(all.begin(), all.end(), [](const ProcessFlow& one, const ProcessFlow& other) {
    return one.flow->row.bytes > other.flow->row.bytes;
  });
  ordered_json& array = object["flows"] = ordered_json::array();
  std::uint64_t others = 0;
  std::uint64_t bytes = 0;
  std::uint64_t copied = 0;
  for (const auto& [pid, flow] : all) {
    const Row& row = flow->row;
    if (array.size() == most) {
      others++;
      bytes += row.bytes;
      copied += row.cpu_copied_bytes;
      continue;
    }
    array.push_back(
        {{"pid", pid == 0 ? ordered_json(nullptr) : ordered_json(pid)},
         {"syscall", valid_utf8(row.syscall)},
         {"from", end_json(report, row.from, row, flow->from)},
         {"to", end_json(report, row.to, row, flow->to)},
         {"copy", copy_name(row.copy)},
         {"calls", row.calls},
         {"bytes", row.bytes},
         {"cpu_copied_bytes", row.cpu_copied_bytes},
         {"voluntary_switches", row.voluntary_switches},
         {"involuntary_switches", row.involuntary_switches},
         {"wall_ns", report.latency ? ordered_json(row.wall_ns) : ordered_json(nullptr)},
         {"wall_error_ns",
          report.latency ? ordered_json(row.wall_error_ns()) : ordered_json(nullptr)}});
  }
  object["other_flows"] = {{"count", others}, {"bytes", bytes}, {"cpu_copied_bytes", copied}};
}

}  // namespace zctrace
