// SPDX-License-Identifier: MIT
// Medians, verdicts and sentences are not read: they are derived again from the runs.
#include "cli/reading/compare_reading.h"

#include <csignal>
#include <limits>
#include <string>

#include "cli/reading/report_reading.h"
#include "cli/reading/row_reading.h"
#include "cli/text/signal_name.h"

namespace zctrace {
namespace {

std::vector<double> read_runs(const JsonNode& array) {
  std::vector<double> runs;
  for (const JsonNode& run : array.elements()) {
    runs.push_back(run.number());
    if (!(runs.back() >= 0)) run.refuse("must not be negative");
  }
  return runs;
}

Process read_counts(const JsonNode& object) {
  Process counts;
  counts.pid = object.find("syscalls") ? 1 : 0;  // 0: the counting pass did not happen
  counts.rows = read_rows(object);
  read_pipes(object, counts);
  set_switches_outside(object, counts);
  counts.minor_faults = object.count_of("minor_faults");
  counts.major_faults = object.count_of("major_faults");
  counts.cpu_outside = read_cpu_profile(object);
  for (const Row& row : counts.rows) counts.cpu_outside -= row.cpu;
  return counts;
}

Copies read_copies(const JsonNode& object) {
  return {object.at("user").number(), object.at("kernel").number(), object.at("reader").number(),
          object.at("evidence").wording()};
}

// Reports of earlier versions say only whether the daemon splices.
FuseMode read_mode(const JsonNode& object, std::string_view name, std::string_view splices) {
  if (const auto mode = fuse_mode_named(object.wording_of(name))) return *mode;
  return object.boolean_of(splices) ? FuseMode::splice : FuseMode::copy;
}

DaemonResult read_daemon(const JsonNode& object) {
  DaemonResult daemon;
  daemon.mode = read_mode(object, "mode", "splice");
  daemon.user_ns = read_runs(object.at("user_runs_ns"));
  daemon.system_ns = read_runs(object.at("system_runs_ns"));
  daemon.counts = read_counts(object);
  daemon.usage.requests = object.count_of("fuse_requests");
  daemon.usage.bytes_read = object.count_of("fuse_bytes_read");
  daemon.usage.bytes_written = object.count_of("fuse_bytes_written");
  daemon.usage.spliced_bytes = object.count_of("fuse_spliced_bytes");
  daemon.usage.copied_bytes = object.count_of("fuse_copied_bytes");
  return daemon;
}

ProgramResult read_program(const JsonNode& object) {
  ProgramResult program;
  program.argv = object.texts_of("argv");
  program.processes = object.count_of("processes");
  if (const auto times = object.find("startup_ns"))
    program.startup_ns = read_runs(times->at("runs"));
  if (const auto times = object.find("transfer_ns"))
    program.transfer_ns = read_runs(times->at("runs"));
  return program;
}

void read_timed(const JsonNode& object, MethodResult& result) {
  if (const auto verified = object.find("verified")) result.verified = verified->boolean();
  const JsonNode wall = object.at("wall_ns");
  const JsonNode runs = wall.at("runs");
  result.wall_ns = read_runs(runs);
  if (result.wall_ns.empty()) runs.refuse("must not be empty");
  result.user_ns = read_runs(object.at("user_runs_ns"));
  result.system_ns = read_runs(object.at("system_runs_ns"));
  result.bytes = object.at("bytes").count();
  result.observed_wall_ns = static_cast<double>(object.count_of("observed_wall_ns"));
  result.notifications = object.count_of("notifications");
  result.copied_notifications = object.count_of("copied_notifications");
  result.copies_in_user_space = object.boolean_of("copies_in_user_space");
  result.pipe_bytes = object.count_of("pipe_bytes");
  if (const auto copies = object.find("copies")) result.copies = read_copies(*copies);
  result.copies_unknown = object.wording_of("copies_unknown");
  result.disk_read_bytes = object.count_or_null("disk_read_bytes");
  result.network_bytes = object.count_or_null("network_bytes");
  result.counts = read_counts(object);
}

MethodResult read_method(const JsonNode& object, bool fuse) {
  MethodResult result;
  result.method = object.at("method").wording();
  result.buffer_bytes = object.count_or_null("buffer_bytes");
  if (result.buffer_bytes == 0) object.at("buffer_bytes").refuse("must be greater than 0");
  result.buffer = object.wording_of("buffer", result.buffer);
  result.label = object.at("label").wording();
  result.supported = object.at("supported").boolean();
  if (const auto error = object.find("error")) result.error = error->text();
  const bool timed = object.find("wall_ns").has_value();
  if (timed) read_timed(object, result);
  if (const auto program = object.find("program")) {
    result.program = read_program(*program);
    result.program->delivered_bytes = object.count_of("delivered_bytes");
  }
  if (const auto daemon = object.find("daemon"))
    result.daemon = read_daemon(*daemon);
  else if (fuse && !timed)  // of a row that did not run there is only this
    result.daemon.emplace().mode = read_mode(object, "fuse_mode", "fuse_splice");
  if (fuse && !result.daemon) object.refuse("has no 'daemon', and other rows have one");
  return result;
}

int read_interruption(const JsonNode& object) {
  const auto name = object.find("interrupted_by");
  if (!name) return 0;
  const std::string text = name->text();
  for (int signal = 1; signal <= SIGRTMAX; ++signal)
    if (signal_name(signal) == text) return signal;
  name->refuse("is not the name of a signal");
}

unsigned rounds_of(const JsonNode& object, std::string_view name, unsigned otherwise) {
  const std::uint64_t rounds = object.count_of(name, otherwise);
  if (rounds > std::numeric_limits<unsigned>::max()) object.at(name).refuse("is out of range");
  return static_cast<unsigned>(rounds);
}

}  // namespace

CompareResult read_comparison(const JsonNode& object) {
  CompareResult compared;
  compared.host = read_host(object);
  compared.argv = object.texts_of("argv");
  compared.started_at = object.at("started_at").wording();
  compared.duration_ns = object.at("duration_ns").count();
  compared.completeness = read_completeness(object);
  const auto source = object.find("source");
  compared.commands = !source;
  if (source) {
    compared.source_kind = source->at("kind").wording();
    compared.source_path = source->at("path").text();
    compared.source_filesystem = source->wording_of("filesystem");
    compared.source_bytes = source->at("bytes").count();
    const JsonNode sink = object.at("sink");
    compared.sink_kind = sink.at("kind").wording();
    compared.has_reader = sink.boolean_of("reader", compared.sink_kind != "null");
  }
  compared.drain = object.wording_of("drain");
  compared.baseline = object.at("baseline").wording();
  compared.rounds_done = rounds_of(object, "rounds", 1);
  compared.runs = rounds_of(object, "runs", compared.rounds_done);
  compared.cold = object.boolean_of("cold");
  compared.textbook = object.find("textbook").has_value();
  compared.interrupted_by = read_interruption(object);
  if (const auto precision = object.find("precision"))
    if (const auto asked = precision->find("asked")) compared.precision = asked->number();
  const JsonNode methods = object.at("methods");
  const std::vector<JsonNode> rows = methods.elements();
  for (const JsonNode& row : rows) compared.fuse |= row.find("fuse_splice").has_value();
  for (const JsonNode& row : rows) compared.methods.push_back(read_method(row, compared.fuse));
  return compared;
}

}  // namespace zctrace
