// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/text/printable.h"
#include "cli/views/columns.h"
#include "cli/views/csv_view.h"
#include "cli/views/mount/mount_tables.h"
#include "cli/views/mount/mount_view.h"
#include "collector/model/requests.h"

namespace zctrace {
namespace {

// What one process did by one operation, or what was done to one file.
struct MountRecord {
  std::string what;  // "process" or "file"
  std::string pid;
  std::string name;
  Operation operation;
  OperationCounts counts;
};

RecordColumn<MountRecord> csv_text(std::string name, std::string MountRecord::*text) {
  return {{}, {}, std::move(name), [text](const MountRecord& record) { return record.*text; }};
}

RecordColumn<MountRecord> csv_count(const OperationField& field) {
  return {{}, {}, std::string(field.name), [count = field.member](const MountRecord& record) {
            return fmt::format("{}", record.counts.*count);
          }};
}

Columns<MountRecord> csv_columns() {
  Columns<MountRecord> columns = {csv_text("what", &MountRecord::what),
                                  csv_text("pid", &MountRecord::pid),
                                  csv_text("name", &MountRecord::name),
                                  {{}, {}, "operation", [](const MountRecord& record) {
                                     return std::string(operation_name(record.operation));
                                   }}};
  for (const OperationField& field : kOperationFields) columns.push_back(csv_count(field));
  return columns;
}

std::vector<MountRecord> csv_records(const Report& report) {
  std::vector<MountRecord> records;
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

}  // namespace

std::string mount_csv(const Report& report) {
  const Columns<MountRecord> columns = csv_columns();
  std::string csv = csv_line(csv_names(columns));
  for (const MountRecord& record : csv_records(report))
    csv += csv_line(csv_values(columns, record));
  return csv;
}

}  // namespace zctrace
