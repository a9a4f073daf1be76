// SPDX-License-Identifier: MIT
// Takes the figures from the report's JSON, so that a recording and a report have the same names.
#include "cli/recording/recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "cli/output/output_file.h"
#include "cli/output/write.h"
#include "cli/recording/recorded_report.h"
#include "cli/recording/tables.h"
#include "cli/text/printable.h"
#include "cli/text/units.h"
#include "cli/views/html/flame_json.h"
#include "cli/views/json_view.h"
#include "collector/model/add_interval.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

// What is in other tables, or follows from other figures.
const std::vector<std::string> kNotOfUsage = {"pid",
                                              "tid",
                                              "parent_pid",
                                              "name",
                                              "argv",
                                              "started_ns",
                                              "ended_ns",
                                              "exit_code",
                                              "signal",
                                              "rows",
                                              "counted_rows",
                                              "flows",
                                              "files",
                                              "other_files",
                                              "peers",
                                              "other_peers",
                                              "per_gb",
                                              "crossings",
                                              "copies_evidence",
                                              "cpu_copies_per_byte",
                                              "kernel_only_share",
                                              "zero_copy_share",
                                              "cpu_copied_measured_bytes",
                                              "uncopied_bytes",
                                              "uncopied_measured_bytes"};
const std::vector<std::string> kNotOfHead = {
    "processes",  "other_processes", "totals",    "files",    "other_files",
    "peers",      "other_peers",     "ports",     "channels", "completeness",
    "started_at", "duration_ns",     "exit_code", "advice"};
const std::vector<std::string> kNotOfFlow = {"from_channel", "to_channel"};

constexpr const char* kInsertProcess =
    "INSERT INTO processes (pid, tid, started_ns, parent_pid, name, argv, ended_ns, exit_code, "
    "signal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pid, tid, started_ns) DO UPDATE SET "
    "name = excluded.name, argv = excluded.argv, ended_ns = excluded.ended_ns, "
    "exit_code = excluded.exit_code, signal = excluded.signal RETURNING id";

// What can be left out of a row without loss.
ordered_json compact_row(ordered_json row) {
  row.erase("copies_evidence");
  if (!row.value("asynchronous", false)) row.erase("asynchronous");
  if (row["errors_by"].empty()) row.erase("errors_by");
  if (row["wall_error_ns"] == 0) row.erase("wall_error_ns");
  ordered_json& latency = row["latency_ns"];
  if (latency.is_null())
    row.erase("latency_ns");
  else
    for (const char* name : {"mean", "p90", "timed_calls"}) latency.erase(name);
  return row;
}

void bind_text_or_null(SqlStatement& statement, const ordered_json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string())
    statement.bind_null();
  else
    statement.bind(member->get_ref<const std::string&>());
}

void bind_count_or_null(SqlStatement& statement, const ordered_json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_integer())
    statement.bind_null();
  else
    statement.bind_count(member->get<std::uint64_t>());
}

void bind_channel(SqlStatement& statement, const ordered_json& flow, const char* name,
                  const std::vector<std::int64_t>& channels) {
  const ordered_json& place = flow.at(name);
  if (place.is_null())
    statement.bind_null();
  else
    statement.bind(channels.at(place.get<std::size_t>()));
}

// Programs share the index of a log by mapping it, which not all file systems allow.
bool can_be_mapped(int file) {
  constexpr std::size_t kLength = 1;
  void* const mapped = ::mmap(nullptr, kLength, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return false;
  ::munmap(mapped, kLength);
  return true;
}

}  // namespace

Recorder::Recorder(const RecorderOptions& options) : options_(options) { create(options.file); }

Recorder::~Recorder() {
  insert_.reset();
  database_.reset();  // the last program that closes a database removes its log
  struct stat named = {};
  if (has_head_ || ::lstat(options_.file.c_str(), &named) != 0) return;
  if (named.st_dev == device_ && named.st_ino == inode_) ::unlink(options_.file.c_str());
}

void Recorder::create(const std::string& path) {
  const std::string name = printable(path, false);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0 && errno == EEXIST)
    throw Error("cannot record to '" + name + "': it exists; remove it, or choose another name");
  if (file < 0) throw system_error("cannot record to '" + name + "'", errno);
  struct stat made = {};
  ::fstat(file, &made);
  device_ = made.st_dev;
  inode_ = made.st_ino;
  give_to_caller(file);
  const bool with_log = can_be_mapped(file);
  ::close(file);
  try {
    open(path, with_log);
  } catch (const SqlError& error) {
    insert_.reset();
    database_.reset();
    ::unlink(path.c_str());
    throw Error("cannot record to " + std::string(error.what()));
  }
}

// With a write-ahead log, other programs see whole intervals at every moment. The file need not
// survive a crash of the machine, and waiting for the disk would disturb what is measured.
void Recorder::open(const std::string& path, bool with_log) {
  database_.emplace(path, SqlDatabase::Mode::write);
  database_->run("PRAGMA synchronous = OFF");
  database_->run(with_log ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE");
  database_->run("BEGIN;" + recording_tables() + "COMMIT;");
  insert_property("schema", kRecordingSchema);
  database_->run(
      "INSERT INTO processes (id, pid, tid, started_ns, name) "
      "VALUES (0, 0, 0, 0, '(other processes)')");
  insert_.emplace(Insertions{
      database_->prepare(kInsertProcess),
      database_->prepare(
          insert_statement("usage", {"interval", "process"}, recorded_usage_columns())),
      database_->prepare(insert_statement("rows", {"interval", "process"}, recorded_row_columns())),
      database_->prepare(insert_statement("flows",
                                          {"interval", "process", "from_channel", "to_channel"},
                                          recorded_row_columns()))});
  empty_log();
}

void Recorder::insert_property(const char* name, const std::string& value) {
  SqlStatement statement = database_->prepare("INSERT OR REPLACE INTO recording VALUES (?, ?)");
  statement.bind(name).bind(value).run();
}

void Recorder::empty_log() {
  try {
    SqlStatement statement = database_->prepare("PRAGMA wal_checkpoint(PASSIVE)");
    statement.step();  // -1 frames where there is no log
    const std::int64_t frames = statement.whole_number(1) - statement.whole_number(2);
    log_bytes_ = static_cast<std::uint64_t>(frames * database_->number("PRAGMA page_size"));
  } catch (const SqlError&) {
    // What is in the log is as good as in the file. The next interval tries again.
  }
}

void Recorder::say_once(const std::string& message) {
  if (!std::exchange(said_, true)) say(message);
}

void Recorder::write(const Report& interval) {
  if (pending_)
    add_interval(*pending_, interval, options_.max_processes);
  else
    pending_ = interval;
  try {
    // A reader that keeps an old state for long keeps the log from being emptied.
    if (log_bytes_ > options_.most_bytes) empty_log();
    if (log_bytes_ > options_.most_bytes)
      throw Error("'" + printable(options_.file, false) +
                  "': another program has been reading it for too long");
    write_pending();
    keep_size();
    empty_log();
  } catch (const Error& error) {
    say_once(
        fmt::format("cannot record to {}; the observation goes on, and what is missing is "
                    "tried again with the next interval",
                    error.what()));
  }
}

void Recorder::write_pending() {
  database_->run("BEGIN IMMEDIATE");
  try {
    SqlStatement last = database_->prepare("SELECT coalesce(max(id), 0) + 1 FROM intervals");
    last.step();
    const std::int64_t id = last.whole_number(0);
    last.reset();
    insert(*pending_, id, at_ns_, 1);
    database_->run("COMMIT");
  } catch (const Error&) {
    try {
      database_->run("ROLLBACK");
    } catch (const SqlError&) {
      // SQLite has rolled back already, as it does when a disk is full.
    }
    throw;
  }
  at_ns_ += pending_->duration_ns;
  has_head_ = true;
  pending_.reset();
}

void Recorder::insert(const Report& interval, std::int64_t id, std::uint64_t at_ns,
                      std::uint64_t merged) {
  const ordered_json report = report_json(interval, options_.by, options_.channels);
  if (!has_head_) {
    ordered_json head = report;
    for (const std::string& name : kNotOfHead) head.erase(name);
    insert_property("head", head.dump());
  }
  SqlStatement statement = database_->prepare("INSERT INTO intervals VALUES (?, ?, ?, ?, ?, ?, ?)");
  statement.bind(id)
      .bind(interval.started_at)
      .bind_count(at_ns)
      .bind_count(interval.duration_ns)
      .bind_count(merged)
      .bind_count(interval.completeness.lost_events())
      .bind(report.at("completeness").dump())
      .run();
  const std::vector<std::int64_t> channels = channel_ids(report);
  for (const ordered_json& process : report.at("processes"))
    insert_usage(id, process_id(process), process, channels);
  if (interval.others.processes != 0) insert_usage(id, 0, report.at("other_processes"), channels);
}

std::int64_t Recorder::process_id(const ordered_json& process) {
  SqlStatement& statement = insert_->process;
  statement.bind_count(process.at("pid").get<std::uint64_t>())
      .bind_count(process.value("tid", std::uint64_t{0}))
      .bind_count(process.at("started_ns").get<std::uint64_t>());
  bind_count_or_null(statement, process, "parent_pid");
  bind_text_or_null(statement, process, "name");
  statement.bind(process.at("argv").dump());
  bind_count_or_null(statement, process, "ended_ns");
  bind_count_or_null(statement, process, "exit_code");
  bind_text_or_null(statement, process, "signal");
  statement.step();
  const std::int64_t id = statement.whole_number(0);
  statement.run();
  return id;
}

void Recorder::insert_usage(std::int64_t interval, std::int64_t process, const ordered_json& object,
                            const std::vector<std::int64_t>& channels) {
  SqlStatement& usage = insert_->usage;
  usage.bind(interval).bind(process);
  bind_object(usage, object, recorded_usage_columns(), kNotOfUsage);
  usage.run();
  SqlStatement& rows = insert_->rows;
  for (const ordered_json& row :
       object.contains("counted_rows") ? object.at("counted_rows") : object.at("rows")) {
    rows.bind(interval).bind(process);
    bind_object(rows, compact_row(row), recorded_row_columns(), {});
    rows.run();
  }
  if (!object.contains("flows")) return;
  SqlStatement& flows = insert_->flows;
  for (const ordered_json& flow : object.at("flows")) {
    flows.bind(interval).bind(process);
    bind_channel(flows, flow, "from_channel", channels);
    bind_channel(flows, flow, "to_channel", channels);
    bind_object(flows, compact_row(flow), recorded_row_columns(), kNotOfFlow);
    flows.run();
  }
}

std::vector<std::int64_t> Recorder::channel_ids(const ordered_json& report) {
  std::vector<std::int64_t> ids;
  if (!report.contains("channels")) return ids;
  SqlStatement statement = database_->prepare(
      "INSERT INTO channels (device, inode, generation, kind, protocol, path, local, remote, "
      "details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, inode, generation) DO "
      "UPDATE SET path = excluded.path, details = excluded.details RETURNING id");
  for (const ordered_json& channel : report.at("channels")) {
    const ordered_json& name = channel.at("name");
    const ordered_json none = ordered_json::object();
    const ordered_json& named = name.is_null() ? none : name;
    for (const char* part : {"device", "inode", "generation"})
      statement.bind_count(channel.at(part).get<std::uint64_t>());
    bind_text_or_null(statement, channel, "kind");
    bind_text_or_null(statement, named, "protocol");
    bind_text_or_null(statement, named, "path");
    for (const char* end : {"local", "remote"})
      bind_text_or_null(statement, named.contains(end) ? named.at(end) : none, "address");
    if (name.is_null())
      statement.bind_null();
    else
      statement.bind(name.dump());
    statement.step();
    ids.push_back(statement.whole_number(0));
    statement.run();
  }
  return ids;
}

void Recorder::keep_size() {
  const auto used = [this] {
    return static_cast<std::uint64_t>(
        database_->number("PRAGMA page_size") *
        (database_->number("PRAGMA page_count") - database_->number("PRAGMA freelist_count")));
  };
  while (used() > options_.most_bytes && merge_one_pair()) {
  }
}

// The two neighbours that cover the fewest intervals, the oldest of those: recordings of any length
// then have intervals of about the same length.
bool Recorder::merge_one_pair() {
  SqlStatement pair = database_->prepare(
      "SELECT a.id, b.id, a.at_ns, a.merged + b.merged AS merged FROM intervals a JOIN intervals b "
      "ON b.id = (SELECT min(id) FROM intervals WHERE id > a.id) ORDER BY merged, a.id LIMIT 1");
  if (!pair.step()) return false;
  const std::int64_t first = pair.whole_number(0);
  const std::int64_t second = pair.whole_number(1);
  const auto at_ns = static_cast<std::uint64_t>(pair.whole_number(2));
  const auto merged = static_cast<std::uint64_t>(pair.whole_number(3));
  pair.reset();
  const RecordedReports recorded(*database_);
  Report sum = recorded.interval(first);
  add_interval(sum, recorded.interval(second), options_.max_processes);
  database_->run("BEGIN IMMEDIATE");
  try {
    for (const char* table : {"usage", "rows", "flows"})
      database_->run(
          fmt::format("DELETE FROM {} WHERE interval IN ({}, {})", table, first, second));
    database_->run(fmt::format("DELETE FROM intervals WHERE id IN ({}, {})", first, second));
    insert(sum, first, at_ns, merged);
    database_->run("DELETE FROM processes WHERE id <> 0 AND id NOT IN (SELECT process FROM usage)");
    database_->run("COMMIT");
  } catch (const Error&) {
    database_->run("ROLLBACK");
    throw;
  }
  return true;
}

bool Recorder::write_whole(const Report* whole, const StackProfile* stacks) {
  try {
    if (pending_) write_pending();
    ordered_json json = ordered_json::object();
    if (whole != nullptr) json = report_json(*whole, options_.by, options_.channels);
    add_stacks_json(json, stacks);
    if (whole != nullptr)
      insert_property("report", json.dump(2) + "\n");
    else if (!json.empty())
      insert_property("stacks", json.at("stacks").dump());
    return true;
  } catch (const Error& error) {
    if (pending_)
      say(fmt::format("the last {} of the observation are missing from the recording: {}",
                      format_ns(pending_->duration_ns), error.what()));
    else
      say_once(fmt::format("cannot record the final report to {}", error.what()));
    return false;
  }
}

bool Recorder::finish(const Report* whole, const StackProfile* stacks) {
  const bool written = write_whole(whole, stacks);
  insert_.reset();
  remove_log();
  return written;
}

void Recorder::remove_log() {
  try {
    database_->run("PRAGMA journal_mode = DELETE");
  } catch (const SqlError& error) {
    say(fmt::format(
        "'{}-wal' is still a part of the recording ({}); the next program that opens the "
        "recording and may write to it puts them together",
        printable(options_.file, false), error.what()));
  }
}

}  // namespace zctrace
