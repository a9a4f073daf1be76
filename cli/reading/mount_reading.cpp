// SPDX-License-Identifier: MIT
// The inverse of add_mount_json().
#include <string>
#include <vector>

#include "cli/reading/report_reading.h"
#include "cli/reading/row_reading.h"

namespace zctrace {
namespace {

OperationCounts read_counts(const JsonNode& object) {
  OperationCounts counts;
  for (const OperationField& field : kOperationFields)
    if (!field.time) counts.*field.member = object.at(field.name).count();
  const JsonNode latency = object.at("latency_ns");
  counts.wall_ns = latency.at("total").count();
  counts.max_ns = latency.at("max").count();
  return counts;
}

template <typename Counts>
ByOperation<Counts> read_operations(const JsonNode& object) {
  ByOperation<Counts> operations;
  const JsonNode names = object.at("operations");
  for (const auto& [name, node] : names.members()) {
    unsigned operation = 0;
    while (operation < kOperations && operation_name(static_cast<Operation>(operation)) != name)
      ++operation;
    if (operation == kOperations) node.refuse("is not a request that this version knows");
    Counts& counts = operations[static_cast<Operation>(operation)];
    static_cast<OperationCounts&>(counts) = read_counts(node);
    if constexpr (std::is_same_v<Counts, TimedCounts>) {
      const JsonNode latency = node.at("latency_ns");
      if (const auto buckets = latency.find("buckets")) counts.latency = read_buckets(*buckets);
    }
  }
  return operations;
}

void read_requests(const JsonNode& object, Process& process) {
  if (const auto fuse = object.find("fuse")) process.requests = read_operations<TimedCounts>(*fuse);
}

Process read_requester(const JsonNode& object) {
  Process process;
  process.pid = object.at("pid").whole_number();
  process.name = object.at("name").text();
  process.argv = object.texts_of("argv");
  read_requests(object, process);
  return process;
}

Process read_side(const JsonNode& object) {
  Process process;
  process.rows = read_rows(object);
  set_switches_outside(object, process);
  return process;
}

}  // namespace

void read_mount(const JsonNode& object, Report& report) {
  const auto place = object.find("mount");
  if (!place) return;
  MountPart& mount = report.mount.emplace();
  mount.source = place->at("source").text();
  mount.mount_point = place->at("mount_point").text();
  mount.cache = place->at("cache").wording();
  mount.splice = place->at("splice").boolean();
  const auto transport = place->find("transport");
  mount.by_ring = transport && transport->text() == "uring";
  mount.passthrough = place->boolean_of("passthrough");
  const JsonNode daemon = object.at("daemon");
  read_fields(daemon, mount.daemon, kDaemonFields);
  const JsonNode processes = object.at("processes");
  const std::vector<JsonNode> elements = processes.elements();
  for (std::size_t i = 0; i < elements.size(); ++i) read_requests(elements[i], report.processes[i]);
  if (const auto others = object.find("other_processes")) read_requests(*others, report.others.sum);
  if (const auto requesters = object.find("other_requesters"))
    for (const JsonNode& requester : requesters->elements())
      mount.other_requesters.push_back(read_requester(requester));
  mount.summed_requesters = object.count_of("summed_requesters");
  const JsonNode files = object.at("files");
  for (const JsonNode& file : files.elements())
    mount.files.push_back({file.at("path").text(), read_operations<OperationCounts>(file)});
  if (const auto amplification = object.find("amplification")) {
    ObservedCalls& observed = mount.observed.emplace();
    observed.applications = read_side(amplification->at("applications"));
    observed.daemon = read_side(amplification->at("daemon"));
  }
}

}  // namespace zctrace
