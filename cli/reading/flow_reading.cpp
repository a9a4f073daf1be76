// SPDX-License-Identifier: MIT
// Files and peers are not read: the model derives them again from the flows.
#include <string>
#include <utility>
#include <vector>

#include "cli/reading/report_reading.h"
#include "cli/reading/row_reading.h"

namespace zctrace {
namespace {

std::uint32_t word_of(const JsonNode& object, std::string_view name) {
  const JsonNode node = object.at(name);
  const std::uint64_t number = node.count();
  if (number > UINT32_MAX) node.refuse("is out of range");
  return static_cast<std::uint32_t>(number);
}

SocketEnd read_end(const JsonNode& object) {
  return {object.text_of("address"), word_of(object, "port")};
}

ChannelName read_name(const JsonNode& object, Kind kind) {
  ChannelName name;
  name.kind = kind;
  name.path = object.text_of("path");
  name.deleted = object.boolean_of("deleted");
  name.cut = object.boolean_of("cut");
  name.file_system = object.text_of("filesystem");
  name.protocol = read_protocol(object);
  name.local = read_end(object.at("local"));
  name.remote = read_end(object.at("remote"));
  name.bound = object.boolean_of("bound");
  name.peer_inode = object.count_of("peer_inode");
  name.peer_pid = word_of(object, "peer_pid");
  return name;
}

std::vector<ChannelId> read_channels(const JsonNode& array, Report& report) {
  std::vector<ChannelId> channels;
  for (const JsonNode& object : array.elements()) {
    const ChannelId& channel = channels.emplace_back(ChannelId{
        object.at("inode").count(), word_of(object, "device"), word_of(object, "generation")});
    if (const auto name = object.find("name"))
      report.channel_names[channel] = read_name(*name, read_kind(object.at("kind")));
  }
  return channels;
}

ChannelId read_end_of_flow(const JsonNode& flow, std::string_view name,
                           const std::vector<ChannelId>& channels) {
  const auto place = flow.find(name);
  if (!place) return {};
  if (place->count() >= channels.size()) place->refuse("is not a place in channels");
  return channels[place->count()];
}

void read_flows_of(const JsonNode& object, const std::vector<ChannelId>& channels,
                   Process& process) {
  if (const auto flows = object.find("flows"))
    for (const JsonNode& flow : flows->elements())
      process.flows.push_back({read_end_of_flow(flow, "from_channel", channels),
                               read_end_of_flow(flow, "to_channel", channels), read_row(flow)});
  if (const auto files = object.find("mapped"))
    for (const JsonNode& file : files->elements())
      process.mapped_files.push_back({read_end_of_flow(file, "channel", channels),
                                      file.at("bytes").count(), file.at("faults").count()});
}

}  // namespace

void read_flows(const JsonNode& object, Report& report) {
  const auto array = object.find("channels");
  if (!array) return;
  report.channels = true;
  const std::vector<ChannelId> channels = read_channels(*array, report);
  const JsonNode processes = object.at("processes");
  const std::vector<JsonNode> elements = processes.elements();
  for (std::size_t i = 0; i < elements.size() && i < report.processes.size(); ++i)
    read_flows_of(elements[i], channels, report.processes[i]);
  if (const auto others = object.find("other_processes")) {
    report.mapped = others->find("mapped").has_value();
    read_flows_of(*others, channels, report.others.sum);
  }
  if (const auto sockets = object.find("retransmits"))
    for (const JsonNode& socket : sockets->elements())
      report.retransmits[read_end_of_flow(socket, "channel", channels)] +=
          socket.at("segments").count();
}

}  // namespace zctrace
