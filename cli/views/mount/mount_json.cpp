// SPDX-License-Identifier: MIT
#include <string>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/exact_json.h"
#include "cli/views/json_view.h"
#include "cli/views/mount/mount_view.h"
#include "collector/fuse/counts/usage.h"
#include "collector/fuse/report/amplification.h"
#include "collector/fuse/report/fuse_report.h"

namespace zctrace {
namespace {

using fuse::Amplification;
using fuse::Side;
using fuse::Usage;
using nlohmann::ordered_json;

ordered_json operation_json(const OperationCounts& counts) {
  ordered_json object;
  for (const OperationField& field : kOperationFields)
    if (!field.time) object[std::string(field.name)] = counts.*field.member;
  object["latency_ns"] = {{"mean", counts.calls == 0 ? 0 : counts.wall_ns / counts.calls},
                          {"max", counts.max_ns},
                          {"total", counts.wall_ns}};
  return object;
}

ordered_json operation_json(const TimedCounts& counts) {
  ordered_json object = operation_json(static_cast<const OperationCounts&>(counts));
  object["latency_ns"]["buckets"] = buckets_json(counts.latency);
  return object;
}

// With passthrough, requests do not show all bytes.
void append_usage(ordered_json& object, const Usage& usage, const MountPart& mount) {
  for (const fuse::UsageField& field : fuse::kUsageFields) {
    ordered_json& figure = object[std::string(field.name)] = usage.*field.member;
    if (mount.passthrough && field.bytes) figure = nullptr;
  }
}

template <typename Counts>
ordered_json operations_json(const ByOperation<Counts>& operations) {
  ordered_json object = ordered_json::object();
  for (const auto& [operation, counts] : operations)
    object[std::string(operation_name(operation))] = operation_json(counts);
  return object;
}

ordered_json files_json(const MountPart& mount) {
  ordered_json files = ordered_json::array();
  for (const FileRequests& file : mount.files) {
    ordered_json object = {{"path", valid_utf8(file.path)},
                           {"operations", operations_json(file.operations)}};
    append_usage(object, fuse::usage_of(file.operations), mount);
    files.push_back(std::move(object));
  }
  return files;
}

ordered_json requests_json(const ProcessRequests& operations, const MountPart& mount) {
  ordered_json object;
  append_usage(object, fuse::usage_of(operations), mount);
  object["operations"] = operations_json(operations);
  return object;
}

// Those that are not among the processes of the report.
ordered_json requesters_json(const MountPart& mount) {
  ordered_json array = ordered_json::array();
  for (const Process& process : mount.other_requesters) {
    ordered_json object = {{"pid", process.pid}, {"name", valid_utf8(process.name)}};
    ordered_json& argv = object["argv"] = ordered_json::array();
    for (const std::string& word : process.argv) argv.push_back(valid_utf8(word));
    object["fuse"] = requests_json(process.requests, mount);
    array.push_back(std::move(object));
  }
  return array;
}

ordered_json daemon_json(const DaemonUse& daemon) {
  ordered_json object;
  for (const auto& field : kDaemonFields) object[std::string(field.name)] = daemon.*field.member;
  return object;
}

ordered_json side_json(const Side& side, const Amplification& all, bool switches) {
  ordered_json counts = {{"calls", side.calls},
                         {"bytes", side.bytes()},
                         {"copied_bytes", side.copied_bytes},
                         {"in_kernel_bytes", side.in_kernel_bytes}};
  if (switches) {
    counts["voluntary_switches"] = side.switches.voluntary;
    counts["involuntary_switches"] = side.switches.involuntary;
  }
  ordered_json each = nullptr;
  if (all.bytes != 0) {
    each = ordered_json::object();
    for (const auto& [name, count] : counts.items())
      each[name] = *per_gb(count.get<std::uint64_t>(), all.bytes);
  }
  counts["per_gb"] = std::move(each);
  return counts;
}

// Without times: where possible the daemon's calls are counted without reading the clock.
ordered_json rows_json(const Process& process) {
  ordered_json rows = ordered_json::array();
  for (const Row& row : process.rows)
    rows.push_back(row_json(row, {.latency = false, .charges = true}));
  return rows;
}

ordered_json amplification_json(const Report& report) {
  const Amplification all =
      fuse::amplification_of(*report.mount->observed, fuse::all_requests(report));
  ordered_json object = {{"bytes", all.bytes},
                         {"applications", side_json(all.applications, all, true)},
                         {"requests", side_json(all.requests, all, false)},
                         {"daemon", side_json(all.daemon, all, true)}};
  object["applications"]["rows"] = rows_json(report.mount->observed->applications);
  object["daemon"]["rows"] = rows_json(report.mount->observed->daemon);
  return object;
}

}  // namespace

void add_mount_json(ordered_json& object, const Report& report) {
  const MountPart& mount = *report.mount;
  object["mount"] = {{"source", valid_utf8(mount.source)},
                     {"mount_point", valid_utf8(mount.mount_point)},
                     {"cache", mount.cache},
                     {"splice", mount.splice},
                     {"transport", mount.by_ring ? "uring" : "read"},
                     {"passthrough", mount.passthrough}};
  object["daemon"] = daemon_json(mount.daemon);
  for (std::size_t i = 0; i < report.processes.size(); ++i)  // in the order of report_json()
    if (const Process& process = report.processes[i]; !process.requests.empty())
      object["processes"][i]["fuse"] = requests_json(process.requests, mount);
  if (mount.observed) object["amplification"] = amplification_json(report);
  if (!report.others.sum.requests.empty())
    object["other_processes"]["fuse"] = requests_json(report.others.sum.requests, mount);
  object["other_requesters"] = requesters_json(mount);
  object["summed_requesters"] = mount.summed_requesters;
  object["files"] = files_json(mount);
}

ordered_json mount_json(const Report& report) {
  ordered_json object = report_json(report);
  add_mount_json(object, report);
  return object;
}

}  // namespace zctrace
