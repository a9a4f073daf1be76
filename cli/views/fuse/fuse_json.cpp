// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "cli/text/errno_name.h"
#include "cli/text/printable.h"
#include "cli/views/fuse/fuse_view.h"
#include "cli/views/json_view.h"
#include "collector/fusewatch/opcodes.h"

namespace zctrace {
namespace {

using fusewatch::FuseActivity;
using fusewatch::FuseConnection;
using fusewatch::OpcodeCounts;
using fusewatch::RequesterCounts;
using fusewatch::RequestSums;
using nlohmann::ordered_json;

constexpr std::string_view kFuseSchema = "zctrace-fuse/1";

ordered_json sums_json(const RequestSums& sums) {
  return {{"sent", sums.sent},
          {"answered", sums.answered},
          {"withdrawn", sums.withdrawn},
          {"errors", sums.errors}};
}

ordered_json histogram_json(const Histogram& histogram) {
  ordered_json buckets = ordered_json::array();
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; bucket++) {
    if (histogram.count(bucket) == 0) continue;
    ordered_json to = nullptr;
    if (bucket + 1 < Histogram::kBuckets) to = Histogram::upper_bound_ns(bucket);
    buckets.push_back({{"from_ns", Histogram::lower_bound_ns(bucket)},
                       {"to_ns", std::move(to)},
                       {"count", histogram.count(bucket)}});
  }
  return buckets;
}

// null: no request was timed.
ordered_json latency_json(const OpcodeCounts& counts) {
  if (counts.timed == 0) return nullptr;
  ordered_json object = {{"mean", counts.wall_ns / counts.timed}};
  for (const auto& [name, fraction] :
       {std::pair("p50", 0.5), std::pair("p90", 0.9), std::pair("p99", 0.99)})
    object[name] = or_null(counts.latency.percentile_ns(fraction, counts.max_ns));
  object["max"] = counts.max_ns;
  object["max_is_bound"] = counts.max_is_bound;
  object["total"] = counts.wall_ns;
  object["timed_requests"] = counts.timed;
  return object;
}

ordered_json counts_json(const OpcodeCounts& counts) {
  ordered_json object = sums_json(counts);
  object["errors_by"] = ordered_json::object();
  for (const auto& [error, count] : counts.errors_by)
    object["errors_by"][errno_name(error)] = count;
  object["background"] = counts.background;
  object["bytes"] = counts.bytes;
  object["request_bytes"] = counts.request_bytes;
  object["reply_bytes"] = counts.reply_bytes;
  object["in_flight"] = counts.in_flight;
  object["oldest_in_flight_ns"] =
      counts.in_flight == 0 ? ordered_json(nullptr) : ordered_json(counts.oldest_ns);
  object["latency_ns"] = latency_json(counts);
  return object;
}

ordered_json requester_json(const RequesterCounts& counts) {
  ordered_json object = {{"kind", fusewatch::requester_kind_name(counts.kind)}};
  object["pid"] = counts.pid == 0 ? ordered_json(nullptr) : ordered_json(counts.pid);
  object["name"] = counts.kind == fusewatch::RequesterKind::process
                       ? ordered_json(valid_utf8(counts.name))
                       : ordered_json(nullptr);
  object.update(sums_json(counts));
  object["read_bytes"] = counts.read_bytes;
  object["written_bytes"] = counts.written_bytes;
  object["in_flight"] = counts.in_flight;
  object["wall_ns"] = counts.wall_ns;
  object["max_ns"] = counts.max_ns;
  object["operations"] = ordered_json::object();
  for (const auto& [opcode, count] : counts.by_opcode)
    object["operations"][fusewatch::opcode_name(opcode)] = count;
  return object;
}

ordered_json queue_json(const FuseConnection& connection, const OpcodeCounts& total,
                        std::uint64_t duration_ns) {
  ordered_json object = {{"mean_when_sent", nullptr}, {"mean_over_time", nullptr}};
  if (connection.sent != 0)
    object["mean_when_sent"] =
        static_cast<double>(connection.waiting_sum) / static_cast<double>(connection.sent);
  if (duration_ns != 0)
    object["mean_over_time"] =
        static_cast<double>(total.wall_ns) / static_cast<double>(duration_ns);
  object["max"] = connection.waiting_max;
  object["background_max"] = connection.background_max;
  object["background_limit"] = connection.background_limit;
  return object;
}

ordered_json server_json(const FuseConnection& connection) {
  if (connection.server_name.empty()) return nullptr;
  return {{"pid", connection.server_pid == 0 ? ordered_json(nullptr)
                                             : ordered_json(connection.server_pid)},
          {"name", valid_utf8(connection.server_name)}};
}

ordered_json connection_json(const FuseConnection& connection, std::uint64_t duration_ns) {
  ordered_json object;
  object["device"] =
      connection.device.empty() ? ordered_json(nullptr) : ordered_json(connection.device);
  object["mount_points"] = ordered_json::array();
  for (const std::string& point : connection.mount_points)
    object["mount_points"].push_back(valid_utf8(point));
  object["type"] = valid_utf8(connection.type);
  object["user"] = connection.user;
  object["server"] = server_json(connection);
  object["mounted_while_watched"] = connection.began;
  const OpcodeCounts total = connection.total();
  object["totals"] = counts_json(total);
  object["queue"] = queue_json(connection, total, duration_ns);
  object["operations"] = ordered_json::array();
  for (const auto& [opcode, counts] : connection.operations) {
    ordered_json operation = {{"operation", fusewatch::opcode_name(opcode)}, {"opcode", opcode}};
    operation.update(counts_json(counts));
    operation["histogram"] = histogram_json(counts.latency);
    object["operations"].push_back(std::move(operation));
  }
  object["requesters"] = ordered_json::array();
  for (const auto& [id, counts] : connection.requesters)
    object["requesters"].push_back(requester_json(counts));
  return object;
}

}  // namespace

std::string_view fuse_json_schema() {
  static constexpr std::string_view kText{
#include "fuse_json_schema.inc"
  };
  return kText;
}

ordered_json fuse_json(const FuseActivity& activity) {
  ordered_json object = {{"schema", kFuseSchema},
                         {"command", "fuse"},
                         {"version", version()},
                         {"host", host_json(activity.host)},
                         {"argv", ordered_json::array()},
                         {"started_at", activity.started_at},
                         {"duration_ns", activity.duration_ns}};
  for (const std::string& word : activity.argv) object["argv"].push_back(valid_utf8(word));
  object["mount"] =
      activity.mount ? ordered_json(valid_utf8(*activity.mount)) : ordered_json(nullptr);
  object["connections"] = ordered_json::array();
  for (const auto& [id, connection] : activity.connections)
    object["connections"].push_back(connection_json(connection, activity.duration_ns));
  object["idle_mounts"] = ordered_json::array();
  for (const std::string& mount : activity.idle_mounts)
    object["idle_mounts"].push_back(valid_utf8(mount));
  object["other_connections"] = {{"count", activity.left_out_connections},
                                 {"sent", activity.left_out_requests}};
  object["completeness"] = {
      {"lost_requests", activity.losses.connection_requests + activity.losses.operation_requests +
                            activity.losses.missed_runs},
      {"lost",
       {{"connections_full", activity.losses.connection_requests},
        {"operations_full", activity.losses.operation_requests},
        {"missed_runs", activity.losses.missed_runs}}},
      {"untimed_requests", activity.losses.flights},
      {"unnamed_requests", activity.losses.unnamed}};
  return object;
}

}  // namespace zctrace
