// SPDX-License-Identifier: MIT
// The same tables on a page and in Markdown; the figures behind them as JSON and CSV.
#include "cli/views/mount_view.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/amplification_view.h"
#include "cli/views/columns.h"
#include "cli/views/csv_view.h"
#include "cli/views/json_view.h"
#include "cli/views/markdown_view.h"
#include "cli/views/mount_tables.h"
#include "cli/views/wording.h"
#include "collector/fuse/counts/usage.h"
#include "collector/fuse/report/fuse_report.h"

namespace zctrace {
namespace {

using fuse::Usage;
using nlohmann::ordered_json;

constexpr Wording kMarkdownWording = {true, false, false};

Wording wording_of(const TableStyle& style) {
  return {style.unicode, style.width != 0 && style.width < kNarrowWidth, false};
}

ordered_json operation_json(const OperationCounts& counts) {
  ordered_json object;
  for (const OperationField& field : kOperationFields)
    if (!field.time) object[std::string(field.name)] = counts.*field.member;
  object["latency_ns"] = {{"mean", counts.calls == 0 ? 0 : counts.wall_ns / counts.calls},
                          {"max", counts.max_ns},
                          {"total", counts.wall_ns}};
  return object;
}

void append_usage(ordered_json& object, const Usage& usage) {
  for (const fuse::UsageField& field : fuse::kUsageFields)
    object[std::string(field.name)] = usage.*field.member;
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
    append_usage(object, fuse::usage_of(file.operations));
    files.push_back(std::move(object));
  }
  return files;
}

ordered_json requests_json(const ProcessRequests& operations) {
  ordered_json object;
  append_usage(object, fuse::usage_of(operations));
  object["operations"] = operations_json(operations);
  return object;
}

ordered_json daemon_json(const DaemonUse& daemon) {
  return {{"threads", daemon.threads},
          {"user_ns", daemon.user_ns},
          {"system_ns", daemon.system_ns},
          {"voluntary_switches", daemon.voluntary_switches},
          {"involuntary_switches", daemon.involuntary_switches},
          {"max_rss_bytes", daemon.max_rss_bytes},
          {"requests", daemon.requests},
          {"replies_written", daemon.replies_written},
          {"replies_spliced", daemon.replies_spliced},
          {"proc_calls", daemon.proc_calls}};
}

struct RequestRecord {
  std::string what;  // "process" or "file"
  std::string pid;
  std::string name;
  Operation operation;
  OperationCounts counts;
};

RecordColumn<RequestRecord> csv_text(std::string name, std::string RequestRecord::*text) {
  return {{}, {}, std::move(name), [text](const RequestRecord& record) { return record.*text; }};
}

RecordColumn<RequestRecord> csv_count(const OperationField& field) {
  return {{}, {}, std::string(field.name), [count = field.member](const RequestRecord& record) {
            return fmt::format("{}", record.counts.*count);
          }};
}

Columns<RequestRecord> csv_columns() {
  Columns<RequestRecord> columns = {csv_text("what", &RequestRecord::what),
                                    csv_text("pid", &RequestRecord::pid),
                                    csv_text("name", &RequestRecord::name),
                                    {{}, {}, "operation", [](const RequestRecord& record) {
                                       return std::string(operation_name(record.operation));
                                     }}};
  for (const OperationField& field : kOperationFields) columns.push_back(csv_count(field));
  return columns;
}

std::vector<RequestRecord> csv_records(const Report& report) {
  std::vector<RequestRecord> records;
  const auto add = [&records](const char* what, std::string pid, std::string name,
                              const auto& operations) {
    for (const auto& [operation, counts] : operations)
      records.push_back({what, pid, name, operation, counts});
  };
  for (const Process* const process : requesters_of(report))
    add("process", fmt::format("{}", process->pid), printable(process->name, true),
        process->requests);
  add("process", "", "(other processes)", report.others.sum.requests);
  for (const FileRequests& file : report.mount->files)
    add("file", "", printable(file.path, true), file.operations);
  return records;
}

std::string csv_line(const std::vector<std::string>& values) {
  std::vector<std::string> quoted;
  for (const std::string& value : values) quoted.push_back(csv_field(value));
  return fmt::format("{}\n", fmt::join(quoted, ","));
}

}  // namespace

std::string mount_part_table(const Report& report, const TableStyle& style) {
  Page page(style);
  page.sections(mount_sections(report, wording_of(style)));
  return page.take();
}

std::string mount_part_markdown(const Report& report) {
  return markdown_sections(mount_sections(report, kMarkdownWording));
}

std::string mount_table(const Report& report, const TableStyle& style) {
  Page page(style);
  page.title(mount_title(report, style.unicode));
  page.items(mount_circumstances(report, style.unicode));
  page.blank_line();
  return page.take() + mount_part_table(report, style);
}

std::string mount_markdown(const Report& report) {
  Section head{mount_title(report, true), {mount_circumstances(report, true)}, {}, {}, {}};
  return markdown_sections({head}) + mount_part_markdown(report);
}

std::string mount_csv(const Report& report) {
  const Columns<RequestRecord> columns = csv_columns();
  std::string csv = csv_line(csv_names(columns));
  for (const RequestRecord& record : csv_records(report))
    csv += csv_line(csv_values(columns, record));
  return csv;
}

void add_mount_json(ordered_json& object, const Report& report) {
  const MountPart& mount = *report.mount;
  object["mount"] = {{"source", valid_utf8(mount.source)},
                     {"mount_point", valid_utf8(mount.mount_point)},
                     {"cache", mount.cache},
                     {"splice", mount.splice}};
  object["daemon"] = daemon_json(mount.daemon);
  for (std::size_t i = 0; i < report.processes.size(); ++i)  // in the order of report_json()
    if (const Process& process = report.processes[i]; !process.requests.empty())
      object["processes"][i]["fuse"] = requests_json(process.requests);
  if (mount.observed) object["amplification"] = amplification_json(report);
  if (!report.others.sum.requests.empty())
    object["other_processes"]["fuse"] = requests_json(report.others.sum.requests);
  object["files"] = files_json(mount);
}

ordered_json mount_json(const Report& report) {
  ordered_json object = report_json(report);
  add_mount_json(object, report);
  return object;
}

}  // namespace zctrace
