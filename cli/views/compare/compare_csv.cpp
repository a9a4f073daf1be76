// SPDX-License-Identifier: MIT
// A comparison as CSV: a record for each client and each daemon, one entry below for each field.
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/compare/by_channel_view.h"
#include "cli/views/compare/compare_view.h"
#include "cli/views/csv_view.h"

namespace zctrace {
namespace {

struct CsvRecord {
  const CompareResult& compared;
  const MethodResult& result;
  bool is_daemon;

  const Process& counts() const { return is_daemon ? result.daemon->counts : result.counts; }
};

// "" for a figure that a record does not have.
struct CsvColumn {
  const char* name;
  std::string (*text)(const CsvRecord&);
};

std::string number(double value) { return fmt::to_string(std::llround(value)); }

// Of the client's timed runs.
template <auto of>
std::string time(const CsvRecord& r) {
  if (r.is_daemon || !r.result.timed()) return "";
  return of(statistics_of(r.result.wall_ns));
}

template <double DividedCpu::*part>
std::string cpu_part(const CsvRecord& r) {
  if (!r.result.timed()) return "";
  const auto cpu = r.is_daemon ? divided_cpu(r.result.daemon->user_ns, r.result.daemon->system_ns)
                               : divided_cpu(r.result.user_ns, r.result.system_ns);
  return cpu ? number(*cpu.*part) : "";
}

using CountOrNull = std::optional<std::uint64_t>;

template <auto of>
std::string count(const CsvRecord& r) {
  const bool counted = r.result.timed() && r.counts().pid != 0;
  const CountOrNull figure = counted ? of(r.counts()) : std::nullopt;
  return figure ? fmt::to_string(*figure) : "";
}

template <double Copies::*of>
std::string copies(const CsvRecord& r) {
  const bool has = !r.is_daemon && r.result.timed() && r.result.copies;
  return has ? fmt::format("{:.4g}", *r.result.copies.*of) : "";
}

template <std::vector<double> ProgramResult::*of>
std::string program_time(const CsvRecord& r) {
  const bool has = !r.is_daemon && r.result.program && !((*r.result.program).*of).empty();
  return has ? number(median_of((*r.result.program).*of)) : "";
}

constexpr CsvColumn kCsvColumns[] = {
    {"method", [](const CsvRecord& r) { return csv_field(r.result.method); }},
    {"buffer_bytes",
     [](const CsvRecord& r) {
       return r.result.buffer_bytes ? fmt::to_string(*r.result.buffer_bytes) : "";
     }},
    {"runs", [](const CsvRecord& r) { return fmt::to_string(r.result.wall_ns.size()); }},
    {"supported", [](const CsvRecord& r) { return fmt::to_string(r.result.supported); }},
    {"error",
     [](const CsvRecord& r) {
       const bool has = !r.is_daemon && r.result.error;
       return has ? csv_field(printable(*r.result.error, true)) : "";
     }},
    {"verified",
     [](const CsvRecord& r) {
       return !r.is_daemon && r.result.verified ? fmt::to_string(*r.result.verified) : "";
     }},
    {"wall_median_ns", time<[](const Statistics& s) { return number(s.median); }>},
    {"wall_stddev_ns", time<[](const Statistics& s) { return s.stddev ? number(*s.stddev) : ""; }>},
    {"wall_min_ns", time<[](const Statistics& s) { return number(s.min); }>},
    {"wall_max_ns", time<[](const Statistics& s) { return number(s.max); }>},
    {"relative",
     [](const CsvRecord& r) {
       const auto relative = r.is_daemon ? std::nullopt : r.compared.relative(r.result);
       return relative ? fmt::format("{:.4f}", *relative) : "";
     }},
    {"bytes",
     [](const CsvRecord& r) {
       return !r.is_daemon && r.result.timed() ? fmt::to_string(r.result.bytes) : "";
     }},
    {"bytes_per_s",
     [](const CsvRecord& r) {
       return !r.is_daemon && r.result.timed() ? number(r.result.bytes_per_s()) : "";
     }},
    {"user_ns", cpu_part<&DividedCpu::user_ns>},
    {"system_ns", cpu_part<&DividedCpu::system_ns>},
    {"syscalls", count<[](const Process& p) -> CountOrNull { return p.syscalls(); }>},
    {"crossings", count<[](const Process& p) -> CountOrNull { return p.crossings(); }>},
    {"copied_bytes", count<[](const Process& p) -> CountOrNull { return p.copied_bytes(); }>},
    {"in_kernel_bytes", count<[](const Process& p) -> CountOrNull { return p.in_kernel_bytes(); }>},
    {"cpu_copied_bytes",
     count<[](const Process& p) -> CountOrNull { return p.cpu_copied_bytes(); }>},
    {"cpu_copied_measured_bytes",
     count<[](const Process& p) -> CountOrNull { return p.cpu_copied_measured_bytes(); }>},
    {"uncopied_bytes", count<[](const Process& p) -> CountOrNull { return p.uncopied_bytes(); }>},
    {"uncopied_measured_bytes",
     count<[](const Process& p) -> CountOrNull { return p.uncopied_measured_bytes(); }>},
    {"disk_read_bytes",
     [](const CsvRecord& r) {
       if (r.is_daemon)
         return count<[](const Process& p) -> CountOrNull { return p.disk_read_bytes(); }>(r);
       const bool has = r.result.timed() && r.result.disk_read_bytes;
       return has ? fmt::to_string(*r.result.disk_read_bytes) : "";
     }},
    {"dirtied_bytes", count<[](const Process& p) -> CountOrNull { return p.dirtied_bytes(); }>},
    {"voluntary_switches",
     count<[](const Process& p) -> CountOrNull { return p.voluntary_switches(); }>},
    {"involuntary_switches",
     count<[](const Process& p) -> CountOrNull { return p.involuntary_switches(); }>},
    {"minor_faults", count<[](const Process& p) -> CountOrNull { return p.minor_faults; }>},
    {"major_faults", count<[](const Process& p) -> CountOrNull { return p.major_faults; }>},
    {"process", [](const CsvRecord& r) { return std::string(r.is_daemon ? "daemon" : "client"); }},
    {"fuse_splice",
     [](const CsvRecord& r) {
       if (!r.result.daemon) return std::string();
       return std::string(r.result.daemon->mode == FuseMode::splice ? "on" : "off");
     }},
    {"fuse_requests",
     [](const CsvRecord& r) {
       const bool has = r.is_daemon && r.counts().pid != 0;
       return has ? fmt::to_string(r.result.daemon->usage.requests) : "";
     }},
    {"user_copies", copies<&Copies::user>},
    {"kernel_copies", copies<&Copies::kernel>},
    {"reader_copies", copies<&Copies::reader>},
    {"cpu_ns",
     [](const CsvRecord& r) {
       const auto cpu = r.is_daemon ? r.result.daemon_cpu_ns() : r.result.cpu_ns();
       return cpu.empty() ? std::string() : number(median_of(cpu));
     }},
    {"startup_ns", program_time<&ProgramResult::startup_ns>},
    {"transfer_ns", program_time<&ProgramResult::transfer_ns>},
    {"fuse_mode",
     [](const CsvRecord& r) {
       return std::string(r.result.daemon ? fuse_mode_name(r.result.daemon->mode) : "");
     }},
};

void add_line(std::string& csv, auto text_of) {
  const char* comma = "";
  for (const CsvColumn& field : kCsvColumns) {
    csv += comma + std::string(text_of(field));
    comma = ",";
  }
  csv += '\n';
}

}  // namespace

std::string compare_csv(const CompareResult& compared, std::optional<GroupBy> by) {
  std::string csv;
  if (is_by_channel(by)) {
    for (const std::vector<std::string>& record : by_channel_csv(compared, *by, {})) {
      const char* comma = "";
      for (const std::string& field : record) {
        csv += comma + csv_field(field);
        comma = ",";
      }
      csv += '\n';
    }
    return csv;
  }
  add_line(csv, [](const CsvColumn& field) { return field.name; });
  for (const MethodResult& result : compared.methods) {
    for (const bool is_daemon : {false, true}) {
      if (is_daemon && (!result.daemon || !result.timed())) continue;
      const CsvRecord record{compared, result, is_daemon};
      add_line(csv, [&](const CsvColumn& field) { return field.text(record); });
    }
  }
  return csv;
}

}  // namespace zctrace
