// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/columns.h"
#include "cli/views/csv_view.h"
#include "cli/views/fuse/fuse_view.h"
#include "collector/fusewatch/opcodes.h"

namespace zctrace {
namespace {

using fusewatch::FuseActivity;
using fusewatch::FuseConnection;
using fusewatch::OpcodeCounts;
using fusewatch::RequesterCounts;
using fusewatch::RequestSums;

// One operation of a connection, or one requester. What does not apply is empty.
struct FuseRecord {
  const FuseActivity& activity;
  const FuseConnection& connection;
  const RequestSums& sums;
  std::string what;
  std::string operation;
  const OpcodeCounts* counts;
  const RequesterCounts* requester;
};

using FuseField = std::string (*)(const FuseRecord&);

RecordColumn<FuseRecord> field(std::string name, FuseField text) {
  return {{}, {}, std::move(name), text};
}

std::string number(std::uint64_t count) { return fmt::format("{}", count); }

RecordColumn<FuseRecord> percentile(std::string name, double fraction) {
  return {{}, {}, std::move(name), [fraction](const FuseRecord& record) -> std::string {
            if (record.counts == nullptr) return "";
            const auto ns = record.counts->latency.percentile_ns(fraction, record.counts->max_ns);
            return ns ? number(*ns) : "";
          }};
}

Columns<FuseRecord> csv_columns() {
  return {
      field("started_at", [](const FuseRecord& r) { return r.activity.started_at; }),
      field("duration_ns", [](const FuseRecord& r) { return number(r.activity.duration_ns); }),
      field("what", [](const FuseRecord& r) { return r.what; }),
      field("device", [](const FuseRecord& r) { return r.connection.device; }),
      field("mount_point",
            [](const FuseRecord& r) {
              return r.connection.mount_points.empty()
                         ? std::string()
                         : printable(r.connection.mount_points.front(), true);
            }),
      field("type", [](const FuseRecord& r) { return printable(r.connection.type, true); }),
      field("operation", [](const FuseRecord& r) { return r.operation; }),
      field("kind",
            [](const FuseRecord& r) {
              return r.requester == nullptr
                         ? std::string()
                         : std::string(fusewatch::requester_kind_name(r.requester->kind));
            }),
      field("pid",
            [](const FuseRecord& r) {
              return r.requester == nullptr || r.requester->pid == 0 ? std::string()
                                                                     : number(r.requester->pid);
            }),
      field("name",
            [](const FuseRecord& r) {
              return r.requester == nullptr ? std::string() : printable(r.requester->name, true);
            }),
      field("sent", [](const FuseRecord& r) { return number(r.sums.sent); }),
      field("answered", [](const FuseRecord& r) { return number(r.sums.answered); }),
      field("withdrawn", [](const FuseRecord& r) { return number(r.sums.withdrawn); }),
      field("errors", [](const FuseRecord& r) { return number(r.sums.errors); }),
      field("in_flight",
            [](const FuseRecord& r) {
              return number(r.counts != nullptr ? r.counts->in_flight : r.requester->in_flight);
            }),
      field("bytes",
            [](const FuseRecord& r) {
              return number(r.counts != nullptr
                                ? r.counts->bytes
                                : r.requester->read_bytes + r.requester->written_bytes);
            }),
      field("timed_requests",
            [](const FuseRecord& r) {
              return r.counts == nullptr ? std::string() : number(r.counts->timed);
            }),
      field("wall_ns", [](const FuseRecord& r) { return number(r.sums.wall_ns); }),
      percentile("p50_ns", 0.5),
      percentile("p90_ns", 0.9),
      percentile("p99_ns", 0.99),
      field("max_ns",
            [](const FuseRecord& r) {
              return number(r.counts != nullptr ? r.counts->max_ns : r.requester->max_ns);
            }),
  };
}

}  // namespace

std::string fuse_csv(const FuseActivity& activity) {
  const Columns<FuseRecord> columns = csv_columns();
  std::string csv = csv_line(csv_names(columns));
  for (const auto& [id, connection] : activity.connections) {
    for (const auto& [opcode, counts] : connection.operations)
      csv += csv_line(csv_values(columns, {activity, connection, counts, "operation",
                                           fusewatch::opcode_name(opcode), &counts, nullptr}));
    for (const auto& [requester, counts] : connection.requesters)
      csv += csv_line(
          csv_values(columns, {activity, connection, counts, "requester", "", nullptr, &counts}));
  }
  return csv;
}

}  // namespace zctrace
