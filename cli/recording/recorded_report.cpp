// SPDX-License-Identifier: MIT
// Makes the JSON of an interval of its tables, and reads that: one reader for both.
#include "cli/recording/recorded_report.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include "cli/reading/report_reading.h"
#include "cli/reading/stacks_reading.h"
#include "cli/recording/tables.h"
#include "cli/text/printable.h"
#include "cli/views/json_view.h"
#include "collector/model/add_interval.h"
#include "collector/os/descriptor.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

ordered_json count_or_null(const SqlStatement& statement, int column) {
  if (statement.is_null(column) || statement.whole_number(column) < 0) return nullptr;
  return static_cast<std::uint64_t>(statement.whole_number(column));
}

std::uint64_t count_or_zero(const SqlStatement& statement, int column) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, statement.whole_number(column)));
}

ordered_json text_or_null(const SqlStatement& statement, int column) {
  return statement.is_null(column) ? ordered_json(nullptr) : ordered_json(statement.text(column));
}

std::string names_of(const RecordedColumns& columns) {
  std::string names;
  for (const RecordedColumn& column : columns) names += "t." + column.name + ", ";
  return names + "t.details";
}

// The processes of one interval by their id.
using ProcessObjects = std::map<std::int64_t, ordered_json>;

void add_processes(const SqlDatabase& database, std::int64_t interval,
                   std::vector<std::int64_t>& order, ProcessObjects& objects) {
  SqlStatement statement = database.prepare(
      "SELECT p.id, p.pid, p.tid, p.started_ns, p.parent_pid, p.name, p.argv, p.ended_ns, "
      "p.exit_code, p.signal, " +
      names_of(recorded_usage_columns()) +
      " FROM usage t JOIN processes p ON p.id = t.process WHERE t.interval = ? ORDER BY t.rowid");
  statement.bind(interval);
  while (statement.step()) {
    const std::int64_t id = statement.whole_number(0);
    ordered_json object = object_of(statement, 10, recorded_usage_columns());
    object["pid"] = count_or_null(statement, 1);
    object["tid"] = count_or_null(statement, 2);
    object["started_ns"] = count_or_null(statement, 3);
    object["parent_pid"] = count_or_null(statement, 4);
    object["name"] = statement.text(5);
    object["argv"] =
        statement.is_null(6) ? ordered_json(nullptr) : parse_document(statement.text(6));
    object["ended_ns"] = count_or_null(statement, 7);
    object["exit_code"] = count_or_null(statement, 8);
    object["signal"] = text_or_null(statement, 9);
    object["counted_rows"] = ordered_json::array();
    order.push_back(id);
    objects[id] = std::move(object);
  }
}

void add_rows(const SqlDatabase& database, std::int64_t interval, ProcessObjects& objects) {
  SqlStatement statement =
      database.prepare("SELECT t.process, " + names_of(recorded_row_columns()) +
                       " FROM rows t WHERE t.interval = ? ORDER BY t.rowid");
  statement.bind(interval);
  while (statement.step())
    if (const auto process = objects.find(statement.whole_number(0)); process != objects.end())
      process->second["counted_rows"].push_back(object_of(statement, 1, recorded_row_columns()));
}

ordered_json channel_json(const SqlDatabase& database, std::int64_t id) {
  SqlStatement statement = database.prepare(
      "SELECT device, inode, generation, kind, details FROM channels WHERE id = ?");
  statement.bind(id);
  if (!statement.step()) throw Error(fmt::format("table channels has no row {}", id));
  return {
      {"device", count_or_null(statement, 0)},
      {"inode", count_or_null(statement, 1)},
      {"generation", count_or_null(statement, 2)},
      {"kind", text_or_null(statement, 3)},
      {"name", statement.is_null(4) ? ordered_json(nullptr) : parse_document(statement.text(4))}};
}

ordered_json add_flows(const SqlDatabase& database, std::int64_t interval,
                       ProcessObjects& objects) {
  ordered_json channels = ordered_json::array();
  std::map<std::int64_t, std::size_t> places;
  const auto place_of = [&](const SqlStatement& flow, int column) -> ordered_json {
    if (flow.is_null(column)) return nullptr;
    const auto [found, added] = places.emplace(flow.whole_number(column), channels.size());
    if (added) channels.push_back(channel_json(database, found->first));
    return found->second;
  };
  SqlStatement statement = database.prepare("SELECT t.process, t.from_channel, t.to_channel, " +
                                            names_of(recorded_row_columns()) +
                                            " FROM flows t WHERE t.interval = ? ORDER BY t.rowid");
  statement.bind(interval);
  while (statement.step()) {
    const auto process = objects.find(statement.whole_number(0));
    if (process == objects.end()) continue;
    ordered_json flow = object_of(statement, 3, recorded_row_columns());
    flow["from_channel"] = place_of(statement, 1);
    flow["to_channel"] = place_of(statement, 2);
    process->second["flows"].push_back(std::move(flow));
  }
  return channels;
}

[[noreturn]] void refuse(const std::string& name, const Error& error) {
  std::string what = error.what();
  const auto* const of_sqlite = dynamic_cast<const SqlError*>(&error);
  if (of_sqlite != nullptr && of_sqlite->needs_writing())
    what += "; it was cut off: copy it, and its '-wal' if there is one, to where you may write";
  throw Error(what.starts_with("'" + name) ? "cannot read " + what
                                           : "cannot read '" + name + "': " + what);
}

SavedReport saved(Report report, const ordered_json& stacks = nullptr) {
  SavedReport one;
  one.json = report_json(report);
  if (!stacks.is_null()) one.json["stacks"] = stacks;
  one.text = one.json.dump(2) + "\n";
  one.report = std::move(report);
  return one;
}

}  // namespace

RecordedReports::RecordedReports(const SqlDatabase& database) : database_(database) {
  if (database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'recording'") == 0)
    throw Error("it is an SQLite file, but not a recording of zctrace");
  const std::string schema = value("schema");
  if (schema != kRecordingSchema)
    throw Error("it follows schema '" + printable(schema, false) + "'; this version reads " +
                kRecordingSchema);
}

std::string RecordedReports::value(const char* name) const {
  SqlStatement statement = database_.prepare("SELECT value FROM recording WHERE name = ?");
  statement.bind(name);
  return statement.step() ? statement.text(0) : "";
}

std::string RecordedReports::whole() const { return value("report"); }

ordered_json RecordedReports::stacks() const {
  const std::string text = value("stacks");
  if (text.empty()) return nullptr;
  ordered_json json = {{"stacks", parse_document(text)}};
  const JsonNode root(json);
  check_stacks(root.at("stacks"));
  return std::move(json["stacks"]);
}

std::vector<RecordedInterval> RecordedReports::intervals() const {
  std::vector<RecordedInterval> intervals;
  SqlStatement statement =
      database_.prepare("SELECT id, started_at, at_ns, duration_ns FROM intervals ORDER BY id");
  while (statement.step())
    intervals.push_back({statement.whole_number(0), statement.text(1),
                         static_cast<std::uint64_t>(statement.whole_number(2)),
                         static_cast<std::uint64_t>(statement.whole_number(3))});
  return intervals;
}

ordered_json RecordedReports::interval_json(std::int64_t id) const {
  SqlStatement statement =
      database_.prepare("SELECT started_at, duration_ns, details FROM intervals WHERE id = ?");
  statement.bind(id);
  if (!statement.step()) throw Error(fmt::format("table intervals has no row {}", id));
  ordered_json report = parse_document(value("head"));
  if (!report.is_object()) throw Error("table recording has no 'head'");
  report["started_at"] = statement.text(0);
  report["duration_ns"] = count_or_null(statement, 1);
  report["completeness"] = parse_document(statement.text(2));
  std::vector<std::int64_t> order;
  ProcessObjects objects;
  add_processes(database_, id, order, objects);
  add_rows(database_, id, objects);
  if (ordered_json channels = add_flows(database_, id, objects); !channels.empty())
    report["channels"] = std::move(channels);
  ordered_json& processes = report["processes"] = ordered_json::array();
  for (const std::int64_t process : order) {
    if (process == 0)
      report["other_processes"] = std::move(objects[process]);
    else
      processes.push_back(std::move(objects[process]));
  }
  return report;
}

ordered_json RecordedReports::totals_over_time(const RecordingPart& part) const {
  constexpr std::size_t kMost = 1000;
  constexpr const char* kTotals[] = {"delivered_bytes", "cpu_copied_bytes", "syscalls",
                                     "voluntary_switches", "involuntary_switches"};
  SqlStatement statement = database_.prepare(
      fmt::format("SELECT started_at, at_ns, duration_ns, {} FROM totals ORDER BY interval",
                  fmt::join(kTotals, ", ")));
  std::vector<ordered_json> intervals;
  while (statement.step()) {
    const std::uint64_t at_ns = count_or_zero(statement, 1);
    const std::uint64_t duration_ns = count_or_zero(statement, 2);
    if (!part.includes(at_ns, at_ns + duration_ns)) continue;
    ordered_json interval = {{"started_at", statement.text(0)}, {"duration_ns", duration_ns}};
    int column = 3;
    for (const char* name : kTotals) interval["totals"][name] = count_or_zero(statement, column++);
    intervals.push_back(std::move(interval));
  }
  const std::size_t together = (intervals.size() + kMost - 1) / kMost;
  ordered_json array = ordered_json::array();
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    if (i % together == 0) {
      array.push_back(std::move(intervals[i]));
      continue;
    }
    ordered_json& sum = array.back();
    const auto add = [](ordered_json& into, const ordered_json& more) {
      into = into.get<std::uint64_t>() + more.get<std::uint64_t>();
    };
    add(sum["duration_ns"], intervals[i]["duration_ns"]);
    for (const char* name : kTotals) add(sum["totals"][name], intervals[i]["totals"][name]);
  }
  return array;
}

Report RecordedReports::interval(std::int64_t id) const {
  const ordered_json json = interval_json(id);
  return read_report(JsonNode(json));
}

bool RecordingPart::includes(std::uint64_t at_ns, std::uint64_t end_ns) const {
  return !(from && end_ns <= static_cast<std::uint64_t>(from->count())) &&
         !(to && at_ns >= static_cast<std::uint64_t>(to->count()));
}

bool is_recording(const std::string& path) {
  static constexpr char kMagic[] = "SQLite format 3";  // with its zero
  char start[sizeof(kMagic)] = {};
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file && ::pread(file.get(), start, sizeof(start), 0) == sizeof(start) &&
         std::memcmp(start, kMagic, sizeof(start)) == 0;
}

SavedFile read_recording(const std::string& path, const RecordingPart& part) {
  const std::string name = printable(path, false);
  try {
    const SqlDatabase database(path, SqlDatabase::Mode::read);
    const RecordedReports recorded(database);
    const auto with_intervals = [&](SavedFile file) {
      if (!file.reports.empty())
        file.reports.front().json["intervals"] = recorded.totals_over_time(part);
      return file;
    };
    if (const std::string whole = recorded.whole(); part.is_whole() && !whole.empty())
      return with_intervals(parse_saved_reports(name, whole));
    SavedFile file{name, {}, false, false};
    std::optional<Report> sum;
    for (const RecordedInterval& interval : recorded.intervals()) {
      if (!part.includes(interval.at_ns, interval.at_ns + interval.duration_ns)) continue;
      const Report report = recorded.interval(interval.id);
      if (sum)
        add_interval(*sum, report, std::numeric_limits<std::size_t>::max());
      else
        sum = report;
    }
    if (!sum)
      throw Error(part.is_whole() ? "it has no interval yet" : "it has no interval in that time");
    file.reports.push_back(
        saved(std::move(*sum), part.is_whole() ? recorded.stacks() : ordered_json()));
    return with_intervals(std::move(file));
  } catch (const Error& error) {
    refuse(name, error);
  }
}

SavedFile read_recorded_intervals(const std::string& path) {
  const std::string name = printable(path, false);
  try {
    const SqlDatabase database(path, SqlDatabase::Mode::read);
    const RecordedReports recorded(database);
    SavedFile file{name, {}, true, false};
    for (const RecordedInterval& interval : recorded.intervals())
      file.reports.push_back(saved(recorded.interval(interval.id)));
    if (file.reports.empty()) throw Error("it has no interval yet");
    return file;
  } catch (const Error& error) {
    refuse(name, error);
  }
}

}  // namespace zctrace
