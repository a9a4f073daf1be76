// SPDX-License-Identifier: MIT
// The names come from the files of observed programs, so they pass through printable().
#include "cli/views/stacks_view.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/text/printable.h"
#include "cli/views/json_view.h"

namespace zctrace {
namespace {

using nlohmann::ordered_json;

// In a folded stack ';' separates frames, and a number follows the last space.
std::string folded_name(std::string_view name) {
  std::string text = printable(name, true);
  std::replace(text.begin(), text.end(), ';', ':');
  return text;
}

// "[libfoo.so.1]" where the function is not known: one name for each library keeps its bytes
// together.
std::string folded_frame(const StackFrame& frame) {
  if (!frame.function.empty()) return folded_name(frame.function);
  const std::string_view module = frame.module;
  if (module.empty()) return "[unknown]";
  if (module.starts_with('[')) return folded_name(module);
  return "[" + folded_name(module.substr(module.find_last_of('/') + 1)) + "]";
}

std::string folded_line(const StackProfile::SampledStack& entry) {
  std::string line;
  for (const FoldedFrame& frame : folded_frames(entry))
    line += (line.empty() ? "" : ";") + frame.name;
  return line;
}

ordered_json frame_json(const StackFrame& frame) {
  ordered_json object;
  object["function"] = text_or_null(frame.function);
  object["module"] = text_or_null(frame.module);
  object["offset"] = frame.function.empty() && !frame.module.empty() ? ordered_json(frame.offset)
                                                                     : ordered_json(nullptr);
  object["source"] = text_or_null(frame.source);
  object["line"] = frame.line == 0 ? ordered_json(nullptr) : ordered_json(frame.line);
  object["own"] = frame.own;
  return object;
}

ordered_json frames_json(const std::vector<const StackFrame*>& frames) {
  ordered_json array = ordered_json::array();
  for (const StackFrame* frame : frames) array.push_back(frame_json(*frame));
  return array;
}

ordered_json entry_json(const StackProfile& profile, const StackProfile::SampledStack& entry) {
  const StackSite& site = *entry.site;
  ordered_json object;
  object["pid"] = site.pid;
  object["process"] = valid_utf8(site.process);
  object["syscall"] = site.syscall;
  object["from"] = kind_name(site.from);
  object["to"] = kind_name(site.to);
  object["samples"] = entry.samples;
  object["bytes"] = profile.bytes(entry.samples);
  object["margin_bytes"] = profile.margin(entry.samples);
  object["complete"] = entry.whole;
  object["summed"] = entry.summed;
  object["user"] = frames_json(entry.user);
  object["kernel"] = frames_json(entry.kernel);
  return object;
}

}  // namespace

std::vector<FoldedFrame> folded_frames(const StackProfile::SampledStack& stack) {
  const StackSite& site = *stack.site;
  std::vector<FoldedFrame> frames = {{folded_name(site.process), "process"}};
  if (stack.summed)
    frames.push_back({"[other stacks]", "user"});
  else if (!stack.whole)
    frames.push_back({"[incomplete]", "user"});
  for (auto frame = stack.user.rbegin(); frame != stack.user.rend(); ++frame)
    frames.push_back({folded_frame(**frame), "user"});
  frames.push_back({fmt::format("{} ({} to {})", folded_name(site.syscall), kind_name(site.from),
                                kind_name(site.to)),
                    "call"});
  for (auto frame = stack.kernel.rbegin(); frame != stack.kernel.rend(); ++frame)
    frames.push_back({folded_frame(**frame) + "_[k]", "kernel"});
  return frames;
}

std::string folded_stacks(const StackProfile& profile) {
  // Stacks that differ only in what a line does not show are one line.
  std::map<std::string, std::uint64_t> samples;
  for (const StackProfile::SampledStack& entry : profile.entries())
    samples[folded_line(entry)] += entry.samples;
  std::vector<std::pair<std::string, std::uint64_t>> lines(samples.begin(), samples.end());
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [line, count] : lines)
    text += fmt::format("{} {}\n", line, profile.bytes(count));
  return text;
}

std::string stacks_json(const StackProfile& profile, const Report& report) {
  const auto lost = report.completeness.lost_by_reason.find("stacks");
  ordered_json object;
  object["schema"] = "zctrace-stacks/1";
  object["zctrace"] = ZCTRACE_VERSION;
  object["command"] = report.command;
  object["started_at"] = report.started_at;
  object["duration_ns"] = report.duration_ns;
  object["every_bytes"] = profile.every();
  object["samples"] = profile.samples();
  object["bytes"] = profile.bytes(profile.samples());
  // Each CPU has part of a stretch with or without its sample.
  object["margin_bytes"] = profile.every() * report.host.cpus;
  object["lost"] = {
      {"stacks", lost == report.completeness.lost_by_reason.end() ? 0 : lost->second}};
  ordered_json& stacks = object["stacks"] = ordered_json::array();
  for (const StackProfile::SampledStack& entry : profile.entries())
    stacks.push_back(entry_json(profile, entry));
  return object.dump(2) + "\n";
}

std::string stacks_view(const StackProfile& profile, const Report& report, std::string_view file) {
  return file.ends_with(".folded") ? folded_stacks(profile) : stacks_json(profile, report);
}

}  // namespace zctrace
