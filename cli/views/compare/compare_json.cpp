// SPDX-License-Identifier: MIT
// A comparison as one JSON object; schema/ defines its names.
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/compare/insights.h"
#include "cli/compare/ranking.h"
#include "cli/compare/verdict.h"
#include "cli/text/printable.h"
#include "cli/text/signal_name.h"
#include "cli/views/channel_json.h"
#include "cli/views/compare/compare_view.h"
#include "cli/views/compare/textbook_view.h"
#include "cli/views/exact_json.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

constexpr const char* kTooFewTicks =
    "a run takes less than 100 ms of CPU time, too few of the kernel's ticks to divide it between "
    "user and system; cpu_ns has both together";

constexpr const char* kNoReader = "no reader of the sink saw the first and the last byte";

std::uint64_t rounded(double ns) { return static_cast<std::uint64_t>(std::llround(ns)); }

// The labels of the rows that lead; none when no row is clearly ahead.
ordered_json labels(const Leaders& leaders) {
  ordered_json names = ordered_json::array();
  if (leaders.decided())
    for (const MethodResult* row : leaders.rows) names.push_back(row->label);
  return names;
}

// null: the rows cannot be told apart.
ordered_json verdict_json(const Choice& choice) {
  if (choice.take == nullptr) return nullptr;
  return {{"take", choice.take->label},
          {"against", choice.against->label},
          {"by", choice.by_time ? "time" : "cpu"},
          {"speed", choice.speed},
          {"speed_interval", {choice.speed_interval.low, choice.speed_interval.high}},
          {"cpu", or_null(choice.cpu)},
          {"alike", labels_of(choice.alike)}};
}

// One for each timed run.
ordered_json runs_json(const std::vector<double>& values) {
  ordered_json runs = ordered_json::array();
  for (const double run : values) runs.push_back(rounded(run));
  return runs;
}

ordered_json times_json(const std::vector<double>& values) {
  const Statistics times = statistics_of(values);
  ordered_json object;
  object["mean"] = rounded(times.mean);
  object["stddev"] = times.stddev ? ordered_json(rounded(*times.stddev)) : nullptr;
  object["median"] = rounded(times.median);
  object["min"] = rounded(times.min);
  object["max"] = rounded(times.max);
  const auto interval = median_interval(values);
  object["median_interval"] = nullptr;
  if (interval) object["median_interval"] = {rounded(interval->low), rounded(interval->high)};
  object["runs"] = runs_json(values);
  return object;
}

// null where the counting pass did not happen.
ordered_json counted(const Process& counts, const std::optional<std::uint64_t>& figure) {
  return or_null(counts.pid != 0 ? figure : std::nullopt);
}

// What client and daemon have in common, appended to `object`.
void append_counts(ordered_json& object, const Process& counts) {
  const auto add = [&](const char* name, const std::optional<std::uint64_t>& figure) {
    object[name] = counted(counts, figure);
  };
  add("syscalls", counts.syscalls());
  add("crossings", counts.crossings());
  add("copied_bytes", counts.copied_bytes());
  add("in_kernel_bytes", counts.in_kernel_bytes());
  add("delivered_bytes", counts.delivered_bytes());
  add("cpu_copied_bytes", counts.cpu_copied_bytes());
  add("cpu_copied_measured_bytes", counts.cpu_copied_measured_bytes());
  add("uncopied_bytes", counts.uncopied_bytes());
  add("uncopied_measured_bytes", counts.uncopied_measured_bytes());
  add("disk_read_bytes", counts.disk_read_bytes());
  add("dirtied_bytes", counts.dirtied_bytes());
  add("voluntary_switches", counts.voluntary_switches());
  add("involuntary_switches", counts.involuntary_switches());
  add("minor_faults", counts.minor_faults);
  add("major_faults", counts.major_faults);
  if (const CpuProfile profile = counts.cpu_profile(); profile.hz != 0)
    object["cpu_profile"] = cpu_profile_json(profile);
  object["rows"] = ordered_json::array();
  for (const Row& row : counts.rows) object["rows"].push_back(row_json(row, {}));
  add_pipes_json(object, counts);
}

// CPU time, and what of it is user and system where that is known; if not, `unknown` says why.
void append_cpu(ordered_json& object, const std::vector<double>& user_ns,
                const std::vector<double>& system_ns) {
  std::vector<double> both(user_ns);
  for (std::size_t i = 0; i < both.size(); ++i) both[i] += system_ns[i];
  object["cpu_ns"] = both.empty() ? ordered_json(nullptr) : ordered_json(rounded(median_of(both)));
  const auto divided = divided_cpu(user_ns, system_ns);
  object["user_ns"] = divided ? ordered_json(rounded(divided->user_ns)) : nullptr;
  object["system_ns"] = divided ? ordered_json(rounded(divided->system_ns)) : nullptr;
  if (!divided) object["unknown"] = {{"user_ns", kTooFewTicks}, {"system_ns", kTooFewTicks}};
}

ordered_json daemon_json(const DaemonResult& daemon) {
  ordered_json object;
  object["splice"] = daemon.mode == FuseMode::splice;
  object["mode"] = fuse_mode_name(daemon.mode);
  append_cpu(object, daemon.user_ns, daemon.system_ns);
  object["user_runs_ns"] = runs_json(daemon.user_ns);
  object["system_runs_ns"] = runs_json(daemon.system_ns);
  const auto add = [&](const char* name, std::uint64_t figure) {
    object[name] = counted(daemon.counts, figure);
  };
  add("fuse_requests", daemon.usage.requests);
  add("fuse_bytes_read", daemon.usage.bytes_read);
  add("fuse_bytes_written", daemon.usage.bytes_written);
  add("fuse_spliced_bytes", daemon.usage.spliced_bytes);
  add("fuse_copied_bytes", daemon.usage.copied_bytes);
  append_counts(object, daemon.counts);
  if (daemon.by_channel) add_channels_json(object, *daemon.by_channel, {});
  return object;
}

// What only a program has. Two figures are not known where no reader sees its first and
// last byte.
ordered_json program_json(const MethodResult& result) {
  const ProgramResult& program = *result.program;
  ordered_json object;
  object["argv"] = ordered_json::array();
  for (const std::string& word : program.argv) object["argv"].push_back(valid_utf8(word));
  if (!result.timed()) return object;
  object["processes"] = result.counts.pid != 0 ? ordered_json(program.processes) : nullptr;
  for (const auto& [name, runs] : {std::pair("startup_ns", &program.startup_ns),
                                   std::pair("transfer_ns", &program.transfer_ns)}) {
    object[name] = runs->empty() ? ordered_json(nullptr) : times_json(*runs);
    if (runs->empty()) object["unknown"][name] = kNoReader;
  }
  return object;
}

ordered_json copies_json(const Copies& copies) {
  return {{"user", copies.user},
          {"kernel", copies.kernel},
          {"reader", copies.reader},
          {"evidence", copies.evidence},
          {"contradiction", copies.contradiction.empty() ? ordered_json(nullptr)
                                                         : ordered_json(copies.contradiction)},
          {"per_byte", copies.per_byte()}};
}

ordered_json method_json(const CompareResult& compared, const MethodResult& result) {
  ordered_json object;
  object["method"] = result.method;
  object["buffer_bytes"] = result.buffer_bytes ? ordered_json(*result.buffer_bytes) : nullptr;
  object["buffer"] = result.buffer;
  object["label"] = result.label;
  object["program"] = result.program ? program_json(result) : ordered_json(nullptr);
  if (result.daemon) {
    object["fuse_splice"] = result.daemon->mode == FuseMode::splice;
    object["fuse_mode"] = fuse_mode_name(result.daemon->mode);
  }
  object["runs"] = result.wall_ns.size();
  object["supported"] = result.supported;
  object["error"] = result.error ? ordered_json(valid_utf8(*result.error)) : nullptr;
  if (!result.timed()) return object;
  object["verified"] = result.verified ? ordered_json(*result.verified) : nullptr;
  object["wall_ns"] = times_json(result.wall_ns);
  append_cpu(object, result.user_ns, result.system_ns);
  object["user_runs_ns"] = runs_json(result.user_ns);
  object["system_runs_ns"] = runs_json(result.system_ns);
  object["bytes"] = result.bytes;
  object["bytes_per_s"] = rounded(result.bytes_per_s());
  const auto relative = compared.relative(result);
  object["relative"] = relative ? ordered_json(*relative) : nullptr;
  object["observed_wall_ns"] =
      result.counts.pid != 0 ? ordered_json(rounded(result.observed_wall_ns)) : nullptr;
  object["notifications"] = result.notifications;
  object["copied_notifications"] = result.copied_notifications;
  object["copies_in_user_space"] = result.copies_in_user_space;
  object["pipe_bytes"] = result.pipe_bytes;
  object["copies"] = result.copies ? copies_json(*result.copies) : nullptr;
  object["copies_unknown"] = nullptr;
  if (!result.copies)
    object["copies_unknown"] = result.copies_unknown.empty() ? "the experiment was not made"
                                                             : valid_utf8(result.copies_unknown);
  append_counts(object, result.counts);
  object["delivered_bytes"] = counted(result.counts, result.delivered_bytes());
  // Of all that the client did, page faults included.
  object["disk_read_bytes"] = or_null(result.disk_read_bytes);
  object["network_bytes"] = or_null(result.network_bytes);
  if (result.by_channel) add_channels_json(object, *result.by_channel, {});
  if (result.daemon) object["daemon"] = daemon_json(*result.daemon);
  return object;
}

}  // namespace

ordered_json compare_json(const CompareResult& compared) {
  ordered_json object;
  object["schema"] = kSchema;
  object["command"] = "compare";
  object["version"] = version();
  object["host"] = host_json(compared.host);
  object["argv"] = ordered_json::array();
  for (const std::string& word : compared.argv) object["argv"].push_back(valid_utf8(word));
  object["exit_code"] = nullptr;
  object["started_at"] = compared.started_at;
  object["duration_ns"] = compared.duration_ns;
  object["completeness"] = completeness_json(compared.completeness);
  object["source"] = object["sink"] = object["drain"] = nullptr;
  if (!compared.commands) {
    object["source"] = {{"kind", compared.source_kind},
                        {"path", valid_utf8(compared.source_path)},
                        {"bytes", compared.source_bytes},
                        {"filesystem", compared.source_filesystem}};
    object["sink"] = {{"kind", compared.sink_kind}, {"reader", compared.has_reader}};
    object["drain"] = compared.drain;
  }
  object["baseline"] = compared.baseline;
  object["rounds"] = compared.rounds_done;
  object["runs"] = compared.runs;
  object["cold"] = compared.cold;
  object["interrupted_by"] =
      compared.interrupted_by != 0 ? ordered_json(signal_name(compared.interrupted_by)) : nullptr;
  object["precision"] = {
      {"asked", compared.precision > 0 ? ordered_json(compared.precision) : nullptr},
      {"reached", or_null(compared.precision_reached())}};
  object["verdict"] = verdict_json(choose(compared));
  object["fastest"] = labels(fastest_rows(compared));
  object["cheapest"] = labels(cheapest_rows(compared));
  object["methods"] = ordered_json::array();
  for (const MethodResult& result : compared.methods)
    object["methods"].push_back(method_json(compared, result));
  if (compared.textbook) object["textbook"] = textbook_json(compared);
  object["insights"] = insights(compared);
  object["warnings"] = warnings(compared);
  return object;
}

}  // namespace zctrace
