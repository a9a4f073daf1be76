// SPDX-License-Identifier: MIT
// Collects figures and samples.
#include "cli/diff/side.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>
#include <variant>

#include "cli/compare/statistics.h"
#include "cli/text/printable.h"
#include "cli/views/compare/compare_grid.h"
#include "cli/views/report/report_facts.h"
#include "collector/os/error.h"

namespace zctrace {
namespace {

double mean_of(const std::vector<double>& values) { return statistics_of(values).mean; }

// An observation that was cut off ends in a short interval, whose rates mean little.
void leave_out_short_end(std::vector<ScopeSums>& samples) {
  constexpr std::size_t kLeast = 4;
  if (samples.size() < kLeast) return;
  if (samples.back().duration_ns() < samples.front().duration_ns() / 2) samples.pop_back();
}

void make_per_second(ScopedFigures& scopes, std::uint64_t duration_ns) {
  if (duration_ns == 0) return;
  const double seconds = static_cast<double>(duration_ns) / 1e9;
  for (auto& [scope, figures] : scopes)
    for (auto& [name, value] : figures)
      if (value && adds_up(name)) *value /= seconds;
}

// The samples of every figure that any of them has. A sum over nothing is 0; a ratio is not there.
void add_samples(DiffSide& side, const std::vector<ScopedFigures>& samples) {
  std::map<std::string, std::set<std::string>> names;
  for (const ScopedFigures& sample : samples)
    for (const auto& [scope, figures] : sample)
      for (const auto& [name, value] : figures)
        if (value) names[scope].insert(name);
  for (const ScopedFigures& sample : samples)
    for (const auto& [scope, wanted] : names) {
      const auto figures = sample.find(scope);
      for (const std::string& name : wanted) {
        std::optional<double> value;
        if (figures != sample.end())
          if (const auto found = figures->second.find(name); found != figures->second.end())
            value = found->second;
        if (!value && (figures == sample.end()) && adds_up(name)) value = 0;
        if (value) side.sampled[scope][name].push_back(*value);
      }
    }
}

void average_values(DiffSide& side) {
  for (const auto& [scope, figures] : side.sampled)
    for (const auto& [name, values] : figures) side.values[scope][name] = mean_of(values);
}

// Reports of run, attach and mount.
void read_observations(DiffSide& side, const std::vector<SavedFile>& files) {
  side.per_second = side.command != "run";
  const bool by_interval =
      side.per_second && std::any_of(files.begin(), files.end(),
                                     [](const SavedFile& file) { return file.reports.size() > 1; });
  side.sample = by_interval ? "interval" : "file";
  ScopeSums all;
  std::vector<ScopeSums> parts;
  for (const SavedFile& file : files) {
    std::vector<ScopeSums> of_file;
    for (const SavedReport& saved : file.reports) {
      const Report& report = std::get<Report>(saved.report);
      all.add(report);
      side.lost_events += report.completeness.lost_events();
      if (by_interval || of_file.empty()) of_file.emplace_back();
      of_file.back().add(report);
    }
    if (by_interval) leave_out_short_end(of_file);
    for (ScopeSums& part : of_file) parts.push_back(std::move(part));
  }
  std::vector<ScopedFigures> samples;
  for (const ScopeSums& part : parts) {
    samples.push_back(part.figures());
    if (side.per_second) make_per_second(samples.back(), part.duration_ns());
  }
  side.samples = samples.size();
  side.duration_ns = all.duration_ns();
  side.values = all.figures();
  if (side.per_second) make_per_second(side.values, all.duration_ns());
  add_samples(side, samples);
  if (!side.per_second && files.size() > 1) average_values(side);
}

void add_method(DiffSide& side, const MethodResult& result) {
  if (!result.timed()) return;
  auto& sampled = side.sampled["method " + result.label];
  const auto add = [&sampled](const char* name, const std::vector<double>& values) {
    if (!values.empty()) sampled[name].insert(sampled[name].end(), values.begin(), values.end());
  };
  add("wall_ns", result.wall_ns);
  add("user_ns", result.user_ns);
  add("system_ns", result.system_ns);
  add("cpu_ns", result.cpu_ns());
  add("daemon_cpu_ns", result.daemon_cpu_ns());
  if (result.copies) add("copies.per_byte", {result.copies->per_byte()});
  if (!result.counted()) return;
  const Process& counts = result.counts;
  const std::pair<const char*, std::uint64_t> counted[] = {
      {"syscalls", counts.syscalls()},
      {"copied_bytes", counts.copied_bytes()},
      {"in_kernel_bytes", counts.in_kernel_bytes()},
      {"cpu_copied_bytes", counts.cpu_copied_bytes()},
      {"voluntary_switches", counts.voluntary_switches()},
      {"involuntary_switches", counts.involuntary_switches()},
      {"minor_faults", counts.minor_faults},
      {"major_faults", counts.major_faults}};
  for (const auto& [name, count] : counted) add(name, {static_cast<double>(count)});
}

void read_comparisons(DiffSide& side, const std::vector<SavedFile>& files) {
  side.sample = "run";
  for (const SavedFile& file : files)
    for (const SavedReport& saved : file.reports) {
      const CompareResult& compared = std::get<CompareResult>(saved.report);
      side.duration_ns += compared.duration_ns;
      side.lost_events += compared.completeness.lost_events();
      side.samples += compared.rounds_done;
      for (const MethodResult& result : compared.methods) add_method(side, result);
    }
  average_values(side);
}

std::string subject_of(const SavedReport& saved) {
  if (const auto* const report = std::get_if<Report>(&saved.report)) {
    if (!report->targets.empty()) return printable(report->targets, true);
    if (report->mount) return printable(report->mount->source, true);
    return shell_words(report->argv, true);
  }
  return compare_title(std::get<CompareResult>(saved.report)).substr(std::size("Report on"));
}

std::string text_at(const nlohmann::ordered_json& json, const char* part, const char* name) {
  const auto found = json.find(part);
  if (found == json.end() || !found->is_object()) return "";
  const auto value = found->find(name);
  return value != found->end() && value->is_string() ? value->get<std::string>() : "";
}

}  // namespace

DiffSide side_of(const std::vector<SavedFile>& files) {
  DiffSide side;
  for (const SavedFile& file : files) {
    side.files.push_back(file.name);
    for (const SavedReport& saved : file.reports) {
      const std::string command = saved.json["command"].get<std::string>();
      if (side.command.empty()) side.command = command;
      const auto started_at = [](const auto& report) { return report.started_at; };
      side.last_started_at = std::max(side.last_started_at, std::visit(started_at, saved.report));
      if (command != side.command)
        throw Error(fmt::format("'{}' is a report of '{}', but '{}' is one of '{}'",
                                files.front().name, side.command, file.name, command),
                    kExitUsage);
    }
  }
  const SavedReport& first = files.front().reports.front();
  side.subject = subject_of(first);
  if (const auto version = first.json.find("version");
      version != first.json.end() && version->is_string())
    side.version = version->get<std::string>();
  side.syscalls = text_at(first.json, "options", "syscalls");
  std::visit(
      [&side](const auto& report) {
        side.host = report.host;
        side.started_at = report.started_at;
      },
      first.report);
  if (side.command == "compare")
    read_comparisons(side, files);
  else
    read_observations(side, files);
  return side;
}

}  // namespace zctrace
