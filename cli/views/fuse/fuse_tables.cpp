// SPDX-License-Identifier: MIT
// The columns, their order and their wording.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/text/errno_name.h"
#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/columns.h"
#include "cli/views/fuse/fuse_view.h"
#include "cli/views/report/report_facts.h"
#include "collector/fusewatch/opcodes.h"

namespace zctrace {
namespace {

using fusewatch::FuseActivity;
using fusewatch::FuseConnection;
using fusewatch::OpcodeCounts;
using fusewatch::RequesterCounts;
using fusewatch::RequesterKind;

constexpr std::size_t kNameWidth = 20;
constexpr std::size_t kPathWidth = 200;
constexpr std::size_t kRequesterLines = 20;
constexpr std::size_t kMostItems = 6;

struct OpcodeLine {
  std::uint32_t opcode;
  OpcodeCounts counts;
  double seconds;

  std::string percentile(double fraction) const {
    const auto ns = counts.latency.percentile_ns(fraction, counts.max_ns);
    return ns ? format_ns(*ns) : "-";
  }
};

using OpcodeText = std::string (*)(const OpcodeLine&);

RecordColumn<OpcodeLine> opcode_column(Column column, OpcodeText text) {
  return {
      std::move(column), [text](const OpcodeLine& line) -> Cell { return {text(line)}; }, "", {}};
}

std::string rate_text(std::uint64_t count, double seconds) {
  return seconds <= 0 ? "-" : amount_text(static_cast<double>(count) / seconds);
}

std::string time_text(std::uint64_t ns) { return ns == 0 ? "-" : format_ns(ns); }

std::string bytes_text(std::uint64_t bytes) { return bytes == 0 ? "-" : format_bytes(bytes); }

Columns<OpcodeLine> opcode_columns() {
  return {
      opcode_column({"REQUEST", false},
                    [](const OpcodeLine& line) { return fusewatch::opcode_name(line.opcode); }),
      opcode_column({"COUNT"},
                    [](const OpcodeLine& line) { return format_count(line.counts.answered); }),
      opcode_column(
          {"PER SEC", true, 5},
          [](const OpcodeLine& line) { return rate_text(line.counts.answered, line.seconds); }),
      opcode_column({"WAITING", true, 2},
                    [](const OpcodeLine& line) { return format_count(line.counts.in_flight); }),
      opcode_column({"ERRORS", true, 3},
                    [](const OpcodeLine& line) { return format_count(line.counts.errors); }),
      opcode_column({"BYTES"},
                    [](const OpcodeLine& line) {
                      return fusewatch::moves_bytes(line.opcode) ? format_bytes(line.counts.bytes)
                                                                 : std::string("-");
                    }),
      opcode_column({"MEAN", true, 7},
                    [](const OpcodeLine& line) {
                      return line.counts.timed == 0
                                 ? std::string("-")
                                 : format_ns(line.counts.wall_ns / line.counts.timed);
                    }),
      opcode_column({"P50", true, 4}, [](const OpcodeLine& line) { return line.percentile(0.5); }),
      opcode_column({"P90", true, 8}, [](const OpcodeLine& line) { return line.percentile(0.9); }),
      opcode_column({"P99", true, 1}, [](const OpcodeLine& line) { return line.percentile(0.99); }),
      opcode_column({"MAX", true, 6},
                    [](const OpcodeLine& line) { return time_text(line.counts.max_ns); }),
  };
}

// "read 8,192, lookup 3", the most frequent first.
std::string opcodes_text(const std::map<std::uint32_t, std::uint64_t>& by_opcode) {
  std::vector<std::pair<std::uint64_t, std::string>> counts;
  for (const auto& [opcode, count] : by_opcode)
    counts.emplace_back(count, fusewatch::opcode_name(opcode));
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min(counts.size(), kMostItems); i++)
    text +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", counts[i].second, format_count(counts[i].first));
  return counts.size() > kMostItems ? text + ", …" : text;
}

struct RequesterLine {
  std::string pid;
  std::string name;
  RequesterCounts counts;
  std::string requests;
};

using RequesterText = std::string (*)(const RequesterLine&);

RecordColumn<RequesterLine> requester_column(Column column, RequesterText text) {
  return {std::move(column),
          [text](const RequesterLine& line) -> Cell { return {text(line)}; },
          "",
          {}};
}

Columns<RequesterLine> requester_columns() {
  return {
      requester_column({"PID"}, [](const RequesterLine& line) { return line.pid; }),
      requester_column({"NAME", false}, [](const RequesterLine& line) { return line.name; }),
      requester_column(
          {"REQUESTS"},
          [](const RequesterLine& line) { return format_count(line.counts.answered); }),
      requester_column(
          {"WAITING", true, 4},
          [](const RequesterLine& line) { return format_count(line.counts.in_flight); }),
      requester_column({"ERRORS", true, 3},
                       [](const RequesterLine& line) { return format_count(line.counts.errors); }),
      requester_column(
          {"READ"}, [](const RequesterLine& line) { return bytes_text(line.counts.read_bytes); }),
      requester_column(
          {"WRITTEN"},
          [](const RequesterLine& line) { return bytes_text(line.counts.written_bytes); }),
      requester_column({"TIME", true, 2},
                       [](const RequesterLine& line) { return time_text(line.counts.wall_ns); }),
      requester_column({"OF THESE", false, 1, 16},
                       [](const RequesterLine& line) { return line.requests; }),
  };
}

std::string requester_name(const RequesterCounts& counts, bool unicode) {
  switch (counts.kind) {
    case RequesterKind::process:
      return cut_to_width(printable(counts.name, unicode), kNameWidth, unicode);
    case RequesterKind::kernel: return "(kernel)";
    case RequesterKind::unknown: return "(unknown)";
    case RequesterKind::others: return "(others)";
  }
  return "";
}

Grid requesters_grid(const FuseConnection& connection, bool unicode, std::size_t& left_out) {
  std::vector<RequesterLine> lines;
  for (const auto& [id, counts] : connection.requesters) {
    std::string requests = opcodes_text(counts.by_opcode);
    if (!unicode && requests.ends_with("…")) requests.replace(requests.size() - 3, 3, "...");
    lines.push_back({counts.pid == 0 ? "-" : std::to_string(counts.pid),
                     requester_name(counts, unicode), counts, std::move(requests)});
  }
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) {
    return std::pair(a.counts.answered, a.counts.sent) >
           std::pair(b.counts.answered, b.counts.sent);
  });
  left_out = lines.size() - std::min(lines.size(), kRequesterLines);
  lines.resize(lines.size() - left_out);
  return grid_of(requester_columns(), lines);
}

std::string connection_title(const FuseConnection& connection, bool unicode) {
  if (connection.mount_points.empty())
    return connection.device.empty() ? "a character device of CUSE"
                                     : "mounted where zctrace cannot see it";
  return cut_to_width(printable(connection.mount_points.front(), unicode), kPathWidth, unicode);
}

std::vector<std::string> connection_items(const FuseConnection& connection, bool unicode) {
  std::vector<std::string> items = {connection_title(connection, unicode),
                                    printable(connection.type, unicode)};
  if (connection.mount_points.size() > 1)
    items.push_back(fmt::format("{} mount points", format_count(connection.mount_points.size())));
  if (!connection.device.empty()) items.push_back("device " + connection.device);
  if (!connection.server_name.empty())
    items.push_back(connection.server_pid == 0
                        ? fmt::format("served by {}", printable(connection.server_name, unicode))
                        : fmt::format("served by {} ({})",
                                      printable(connection.server_name, unicode),
                                      connection.server_pid));
  return items;
}

std::vector<std::string> error_items(const OpcodeCounts& total) {
  std::vector<std::pair<std::uint64_t, unsigned>> errors;
  for (const auto& [error, count] : total.errors_by) errors.emplace_back(count, error);
  std::sort(errors.rbegin(), errors.rend());
  std::vector<std::string> items = {plural(total.errors, "error", "errors")};
  for (std::size_t i = 0; i < std::min(errors.size(), kMostItems); i++)
    items.push_back(
        fmt::format("{} {}", errno_name(errors[i].second), format_count(errors[i].first)));
  return items;
}

std::vector<Fact> connection_facts(const FuseConnection& connection, std::uint64_t duration_ns) {
  const OpcodeCounts total = connection.total();
  std::vector<Fact> facts;
  Fact requests{"requests", {fmt::format("{} answered", format_count(total.answered))}, {}};
  if (total.background != 0)
    requests.items.push_back(
        fmt::format("{} sent in the background", format_count(total.background)));
  if (total.withdrawn != 0)
    requests.items.push_back(
        fmt::format("{} withdrawn, because the process was killed", format_count(total.withdrawn)));
  if (total.answered > total.timed)
    requests.items.push_back(fmt::format("{} answered, but not seen when sent",
                                         format_count(total.answered - total.timed)));
  facts.push_back(std::move(requests));
  if (total.errors != 0) facts.push_back({"errors", error_items(total), {}});
  if (total.in_flight != 0)
    facts.push_back({"waiting",
                     {plural(total.in_flight, "request has", "requests have") + " no answer yet",
                      fmt::format("the oldest for {}", format_ns(total.oldest_ns))},
                     total.oldest_ns > 1'000'000'000 ? Tone::warning : Tone::plain});
  Fact queue{"queue", {}, {}};
  if (connection.sent != 0)
    queue.items.push_back(fmt::format(
        "{:.1f} unanswered on average when one is sent, at most {}",
        static_cast<double>(connection.waiting_sum) / static_cast<double>(connection.sent),
        format_count(connection.waiting_max)));
  if (duration_ns != 0)
    queue.items.push_back(
        fmt::format("{:.2f} on average over time",
                    static_cast<double>(total.wall_ns) / static_cast<double>(duration_ns)));
  if (connection.background_max != 0)
    queue.items.push_back(fmt::format("at most {} in the background, where {} are sent at a time",
                                      format_count(connection.background_max),
                                      format_count(connection.background_limit)));
  if (!queue.items.empty()) facts.push_back(std::move(queue));
  return facts;
}

void add_connection(std::vector<Section>& sections, const FuseConnection& connection,
                    const FuseActivity& activity, const Wording& wording) {
  Section& operations = sections.emplace_back();
  operations.lines = {connection_items(connection, wording.unicode)};
  std::vector<OpcodeLine> lines;
  for (const auto& [opcode, counts] : connection.operations)
    lines.push_back({opcode, counts, static_cast<double>(activity.duration_ns) / 1e9});
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) {
    return std::pair(a.counts.answered, a.counts.sent) >
           std::pair(b.counts.answered, b.counts.sent);
  });
  operations.grid = grid_of(opcode_columns(), lines);
  std::size_t left_out = 0;
  Section& requesters = sections.emplace_back();
  requesters.grid = requesters_grid(connection, wording.unicode, left_out);
  if (left_out != 0)
    requesters.notes = {
        fmt::format("and {} (in --json)", plural(left_out, "more process", "more processes"))};
  sections.emplace_back().facts = connection_facts(connection, activity.duration_ns);
}

Fact loss_fact(const fusewatch::WatchLosses& losses) {
  if (losses.none()) return {"completeness", {"0 events lost"}, Tone::plain};
  Fact fact{"LOST", {}, Tone::warning};
  const auto add = [&](std::uint64_t count, const char* what) {
    if (count != 0)
      fact.items.push_back(fmt::format("{} {}", plural(count, "request", "requests"), what));
  };
  add(losses.connection_requests, "of mounts for which there was no space: not counted");
  add(losses.operation_requests, "of kinds for which there was no space: not counted");
  add(losses.flights, "counted without a time and a process: too many were waiting");
  add(losses.unnamed, "of processes for which there was no space: among (others)");
  add(losses.missed_runs, "that the kernel did not report to zctrace");
  return fact;
}

}  // namespace

std::string fuse_title(const FuseActivity& activity, bool unicode) {
  return activity.mount ? fmt::format("FUSE requests of {}", printable(*activity.mount, unicode))
                        : "FUSE requests of every mount";
}

std::vector<std::string> fuse_circumstances(const FuseActivity& activity, bool unicode) {
  std::vector<std::string> items = {
      format_ns(activity.duration_ns),
      plural(activity.connections.size(), "mount with requests", "mounts with requests")};
  for (std::string& item : host_items(activity.host, unicode)) items.push_back(std::move(item));
  return items;
}

std::vector<Section> fuse_sections(const FuseActivity& activity, const Wording& wording) {
  std::vector<const FuseConnection*> connections;
  for (const auto& [id, connection] : activity.connections) connections.push_back(&connection);
  std::stable_sort(connections.begin(), connections.end(),
                   [](const auto* a, const auto* b) { return a->sent > b->sent; });
  std::vector<Section> sections;
  for (const FuseConnection* const connection : connections)
    add_connection(sections, *connection, activity, wording);
  Section& last = sections.emplace_back();
  if (connections.empty()) last.lines = {{"no request was sent to a FUSE or virtiofs mount"}};
  if (!activity.idle_mounts.empty()) {
    Fact idle{"no requests", {}, Tone::dim};
    for (std::size_t i = 0; i < std::min(activity.idle_mounts.size(), kMostItems); i++)
      idle.items.push_back(cut_to_width(printable(activity.idle_mounts[i], wording.unicode),
                                        kPathWidth, wording.unicode));
    if (activity.idle_mounts.size() > kMostItems)
      idle.items.push_back(fmt::format("and {} more mounts",
                                       format_count(activity.idle_mounts.size() - kMostItems)));
    last.facts.push_back(std::move(idle));
  }
  if (activity.left_out_connections != 0)
    last.facts.push_back(
        {"not listed",
         {plural(activity.left_out_connections, "mount", "mounts") + " that have ended",
          plural(activity.left_out_requests, "request", "requests")},
         Tone::warning});
  last.facts.push_back(loss_fact(activity.losses));
  return sections;
}

}  // namespace zctrace
