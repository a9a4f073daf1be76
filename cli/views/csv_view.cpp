// SPDX-License-Identifier: MIT
// One record a row, with the units in the column names.
#include "cli/views/csv_view.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "cli/text/printable.h"

namespace zctrace {
namespace {

constexpr std::string_view kHeader =
    "pid,tid,parent_pid,name,syscall,from,to,calls,errors,restarts,bytes,wall_ns,off_cpu_ns,"
    "voluntary_switches,involuntary_switches,p50_ns,p90_ns,p99_ns,max_ns\n";

std::string percentile(const Row& row, double fraction, bool latency) {
  const auto ns = latency ? row.latency.percentile_ns(fraction, row.max_ns) : std::nullopt;
  return ns ? fmt::format("{}", *ns) : "";
}

std::string time(std::uint64_t ns, bool measured) { return measured ? fmt::format("{}", ns) : ""; }

}  // namespace

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_view(const Report& report) {
  std::string csv(kHeader);
  const auto add = [&csv, latency = report.latency](const std::string& owner,
                                                    const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      const bool sampled = latency && row.latency.total() > 0;
      const std::vector<std::string> fields{owner,
                                            csv_field(printable(row.syscall, true)),
                                            std::string(kind_name(row.from)),
                                            std::string(kind_name(row.to)),
                                            fmt::format("{}", row.calls),
                                            fmt::format("{}", row.errors),
                                            fmt::format("{}", row.restarts),
                                            fmt::format("{}", row.bytes),
                                            time(row.wall_ns, latency),
                                            time(row.off_cpu_ns, latency),
                                            fmt::format("{}", row.voluntary_switches),
                                            fmt::format("{}", row.involuntary_switches),
                                            percentile(row, 0.5, latency),
                                            percentile(row, 0.9, latency),
                                            percentile(row, 0.99, latency),
                                            time(row.max_ns, sampled)};
      csv += fmt::format("{}\n", fmt::join(fields, ","));
    }
  };
  for (const Process& process : report.processes) {
    const std::string tid = process.tid != 0 ? fmt::format("{}", process.tid) : "";
    add(fmt::format("{},{},{},{}", process.pid, tid, process.parent_pid,
                    csv_field(printable(process.name, true))),
        process.rows);
  }
  add(",,,(other processes)", report.others.sum.rows);
  return csv;
}

}  // namespace zctrace
