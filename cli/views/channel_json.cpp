// SPDX-License-Identifier: MIT
// The names of the fields are an interface.
#include "cli/views/channel_json.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "cli/text/printable.h"
#include "cli/views/flow_json.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

ordered_json rows_json(const std::vector<Row>& rows, const Measured& measured) {
  ordered_json array = ordered_json::array();
  for (const Row& row : rows) array.push_back(row_json(row, measured));
  return array;
}

void add_sums(ordered_json& object, const FileUse& use) {
  object["read_bytes"] = use.read_bytes;
  object["written_bytes"] = use.written_bytes;
  object["cpu_copied_bytes"] = use.cpu_copied_bytes;
  object["disk_read_bytes"] = or_null(use.disk_read_bytes);
  object["mapped_bytes"] = or_null(use.mapped_bytes);
}

void add_sums(ordered_json& object, const PeerUse& use) {
  object["sent_bytes"] = use.sent_bytes;
  object["received_bytes"] = use.received_bytes;
  object["cpu_copied_bytes"] = use.cpu_copied_bytes;
  object["retransmits"] = or_null(use.retransmits);
}

ordered_json use_json(const FileUse& use) {
  ordered_json object;
  const ChannelName* const name = use.name;
  object["path"] =
      name == nullptr ? ordered_json(nullptr) : ordered_json(valid_utf8(file_text(use)));
  object["device"] = device_text(use.file.device);
  object["inode"] = use.file.inode;
  object["filesystem"] = text_or_null(name == nullptr ? "" : name->file_system);
  return object;
}

ordered_json use_json(const PeerUse& use) {
  ordered_json object;
  const ChannelName* const name = use.name;
  const bool pipe = use.protocol == Protocol::none;
  object["protocol"] = pipe ? "pipe" : std::string(protocol_name(use.protocol));
  object["local"] = pipe ? ordered_json(valid_utf8(peer_text(use)))
                         : text_or_null(name == nullptr ? "" : name->local.text);
  object["remote"] = text_or_null(name == nullptr ? "" : name->remote.text);
  object["remote_pid"] =
      name == nullptr || name->peer_pid == 0 ? ordered_json(nullptr) : ordered_json(name->peer_pid);
  object["inode"] = use.peer.inode;
  return object;
}

template <typename Use>
void add_uses(ordered_json& object, const std::string& name, const ChannelUses<Use>& uses,
              const Measured& measured) {
  ordered_json& array = object[name] = ordered_json::array();
  for (const Use& use : uses.listed) {
    ordered_json one = use_json(use);
    add_sums(one, use);
    one["processes"] = use.processes;
    one["rows"] = rows_json(use.rows, measured);
    array.push_back(std::move(one));
  }
  ordered_json& others = object["other_" + name] = {{"count", uses.others}};
  add_sums(others, uses.other);
}

}  // namespace

void add_channels_json(ordered_json& object, const Report& report, const ChannelLimits& limits) {
  add_uses(object, "files", files_of(report, limits.files), measured_of(report));
  add_uses(object, "peers", peers_of(report, limits.peers), measured_of(report));
  ordered_json& ports = object["ports"] = ordered_json::array();
  for (const PortUse& use : ports_of(peers_of(report, SIZE_MAX))) {
    ordered_json one = {{"protocol", protocol_name(use.protocol)},
                        {"port", use.port},
                        {"role", use.serves ? "server" : "client"},
                        {"peers", use.peers}};
    add_sums(one, use.sum);
    one["processes"] = use.sum.processes;
    ports.push_back(std::move(one));
  }
  add_flows_json(object, report, std::max(limits.files, limits.peers));
}

void add_channels_json(ordered_json& object, const Report& report, const Process& process,
                       const ChannelLimits& limits) {
  add_uses(object, "files", files_of(report, process, limits.files), measured_of(report));
  add_uses(object, "peers", peers_of(report, process, limits.peers), measured_of(report));
}

}  // namespace zctrace
