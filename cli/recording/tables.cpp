// SPDX-License-Identifier: MIT
// A new figure of the catalogue becomes a column by itself.
#include "cli/recording/tables.h"

#include <fmt/format.h>

#include <utility>

#include "cli/reading/saved_report.h"
#include "collector/model/fields.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

template <typename Figures, typename Record, std::size_t N>
void add_fields(RecordedColumns& columns, const Field<Figures, Record> (&fields)[N]) {
  for (const Field<Figures, Record>& field : fields)
    columns.push_back({std::string(field.name), std::string(field.name), "INTEGER"});
}

std::string definitions(const RecordedColumns& columns) {
  std::string text;
  for (const RecordedColumn& column : columns)
    text += fmt::format(",\n  {} {}", column.name, column.type);
  return text + ",\n  details TEXT";
}

constexpr const char* kFixedTables = R"(
CREATE TABLE recording (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE intervals (
  id INTEGER PRIMARY KEY,
  started_at TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  merged INTEGER NOT NULL,
  lost_events INTEGER NOT NULL,
  details TEXT
);
CREATE TABLE processes (
  id INTEGER PRIMARY KEY,
  pid INTEGER NOT NULL,
  tid INTEGER NOT NULL,
  started_ns INTEGER NOT NULL,
  parent_pid INTEGER,
  name TEXT,
  argv TEXT,
  ended_ns INTEGER,
  exit_code INTEGER,
  signal TEXT,
  UNIQUE (pid, tid, started_ns)
);
CREATE TABLE channels (
  id INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  kind TEXT,
  protocol TEXT,
  path TEXT,
  local TEXT,
  remote TEXT,
  details TEXT,
  UNIQUE (device, inode, generation)
);
)";

// A file or peer for each interval in which it was used.
constexpr const char* kViews = R"(
CREATE VIEW totals AS
  SELECT i.id AS interval, i.started_at, i.at_ns, i.duration_ns,
    count(u.process) AS processes,
    coalesce(sum(u.syscalls), 0) AS syscalls,
    coalesce(sum(u.copied_bytes), 0) AS copied_bytes,
    coalesce(sum(u.in_kernel_bytes), 0) AS in_kernel_bytes,
    coalesce(sum(u.delivered_bytes), 0) AS delivered_bytes,
    coalesce(sum(u.cpu_copied_bytes), 0) AS cpu_copied_bytes,
    coalesce(sum(u.kernel_only_bytes), 0) AS kernel_only_bytes,
    coalesce(sum(u.zero_copy_bytes), 0) AS zero_copy_bytes,
    coalesce(sum(u.user_ns), 0) AS user_ns,
    coalesce(sum(u.system_ns), 0) AS system_ns,
    coalesce(sum(u.voluntary_switches), 0) AS voluntary_switches,
    coalesce(sum(u.involuntary_switches), 0) AS involuntary_switches
  FROM intervals i LEFT JOIN usage u ON u.interval = i.id GROUP BY i.id;
CREATE VIEW files AS
  SELECT f.interval, c.id AS channel, c.path,
    sum(CASE WHEN f.from_channel = c.id THEN f.bytes ELSE 0 END) AS read_bytes,
    sum(CASE WHEN f.to_channel = c.id THEN f.bytes ELSE 0 END) AS written_bytes,
    sum(f.cpu_copied_bytes) AS cpu_copied_bytes
  FROM channels c JOIN flows f
    ON (f.from_channel = c.id AND f.from_kind IN ('file', 'fuse', 'device'))
    OR (f.to_channel = c.id AND f.to_kind IN ('file', 'fuse', 'device'))
  GROUP BY f.interval, c.id;
CREATE VIEW peers AS
  SELECT f.interval, c.id AS channel, coalesce(c.protocol, 'pipe') AS protocol, c.local, c.remote,
    sum(CASE WHEN f.to_channel = c.id THEN f.bytes ELSE 0 END) AS sent_bytes,
    sum(CASE WHEN f.from_channel = c.id THEN f.bytes ELSE 0 END) AS received_bytes,
    sum(f.cpu_copied_bytes) AS cpu_copied_bytes
  FROM channels c JOIN flows f
    ON (f.from_channel = c.id AND f.from_kind IN ('socket', 'pipe'))
    OR (f.to_channel = c.id AND f.to_kind IN ('socket', 'pipe'))
  GROUP BY f.interval, c.id;
)";

}  // namespace

const RecordedColumns& recorded_row_columns() {
  static const RecordedColumns kColumns = [] {
    RecordedColumns columns = {{"syscall", "syscall", "TEXT"},   {"from_kind", "from", "TEXT"},
                               {"to_kind", "to", "TEXT"},        {"copy", "copy", "TEXT"},
                               {"protocol", "protocol", "TEXT"}, {"verdict", "verdict", "TEXT"}};
    add_fields(columns, kRowFields);
    return columns;
  }();
  return kColumns;
}

const RecordedColumns& recorded_usage_columns() {
  static const RecordedColumns kColumns = [] {
    RecordedColumns columns;
    add_fields(columns, kProcessFields);
    for (const char* name :
         {"voluntary_switches", "involuntary_switches", "syscalls", "errors", "copied_bytes",
          "in_kernel_bytes", "delivered_bytes", "cpu_copied_bytes", "kernel_only_bytes",
          "zero_copy_bytes", "disk_read_bytes", "dirtied_bytes"})
      columns.push_back({name, name, "INTEGER"});
    return columns;
  }();
  return kColumns;
}

std::string recording_tables() {
  const std::string of_interval =
      "interval INTEGER NOT NULL REFERENCES intervals(id),\n"
      "  process INTEGER NOT NULL REFERENCES processes(id)";
  std::string text = kFixedTables;
  text += fmt::format("CREATE TABLE usage (\n  {}{}\n);\n", of_interval,
                      definitions(recorded_usage_columns()));
  text += fmt::format("CREATE TABLE rows (\n  {}{}\n);\n", of_interval,
                      definitions(recorded_row_columns()));
  text += fmt::format(
      "CREATE TABLE flows (\n  {},\n  from_channel INTEGER,\n  to_channel INTEGER{}\n);\n",
      of_interval, definitions(recorded_row_columns()));
  for (const char* table : {"usage", "rows", "flows"})
    text += fmt::format("CREATE INDEX {0}_by_interval ON {0} (interval, process);\n", table);
  return text + kViews;
}

std::string insert_statement(const std::string& table, const std::vector<std::string>& first,
                             const RecordedColumns& columns) {
  std::string names = fmt::format("{}", fmt::join(first, ", "));
  std::string values = "?";
  for (std::size_t i = 1; i < first.size() + columns.size() + 1; ++i) values += ", ?";
  for (const RecordedColumn& column : columns) names += ", " + column.name;
  return fmt::format("INSERT INTO {} ({}, details) VALUES ({})", table, names, values);
}

void bind_object(SqlStatement& statement, ordered_json object, const RecordedColumns& columns,
                 const std::vector<std::string>& left_out) {
  for (const RecordedColumn& column : columns) {
    const auto member = object.find(column.member);
    if (member == object.end() || member->is_null())
      statement.bind_null();
    else if (member->is_string())
      statement.bind(member->get_ref<const std::string&>());
    else
      statement.bind_count(member->get<std::uint64_t>());
    if (member != object.end()) object.erase(member);
  }
  for (const std::string& name : left_out) object.erase(name);
  if (object.empty())
    statement.bind_null();
  else
    statement.bind(object.dump());
}

ordered_json object_of(const SqlStatement& statement, int first, const RecordedColumns& columns) {
  ordered_json object = ordered_json::object();
  int place = first;
  for (const RecordedColumn& column : columns) {
    ordered_json& member = object[column.member];
    if (statement.is_whole_number(place) && statement.whole_number(place) >= 0)
      member = static_cast<std::uint64_t>(statement.whole_number(place));
    else if (!statement.is_null(place))
      member = statement.text(place);
    ++place;
  }
  if (statement.is_null(place)) return object;
  const ordered_json details = parse_document(statement.text(place));
  if (!details.is_object()) throw Error("a column 'details' has no JSON object");
  object.update(details);
  return object;
}

}  // namespace zctrace
