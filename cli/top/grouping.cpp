// SPDX-License-Identifier: MIT
// Sums of processes by name, unit or container.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "cli/top/model.h"

namespace zctrace {
namespace {

constexpr std::array<std::pair<std::string_view, TopGroup>, 4> kGroupNames{{
    {"process", TopGroup::process},
    {"name", TopGroup::name},
    {"unit", TopGroup::unit},
    {"container", TopGroup::container},
}};

std::string group_of(const TopProcess& process, TopGroup by) {
  const auto named = [by](const std::string& text) {
    return text.empty() ? "(no " + std::string(group_name(by)) + ")" : text;
  };
  switch (by) {
    case TopGroup::unit: return named(process.owner.unit);
    case TopGroup::container: return named(process.owner.container_text());
    case TopGroup::name:
    case TopGroup::process: break;
  }
  return process.total->name;
}

struct Group {
  Totals total;
  Totals interval;
  TopProcess line;
};

void add(Group& group, const TopProcess& process) {
  group.line.ended = process.ended && (group.total.processes == 0 || group.line.ended);
  group.total.add(*process.total);
  if (process.interval != nullptr) group.interval.add(*process.interval);
  group.line.total_figures += process.total_figures;
  group.line.interval_figures += process.interval_figures;
}

}  // namespace

std::optional<TopGroup> parse_top_group(std::string_view text) {
  for (const auto& [name, by] : kGroupNames)
    if (name == text) return by;
  return std::nullopt;
}

std::string_view group_name(TopGroup by) {
  return std::find_if(kGroupNames.begin(), kGroupNames.end(),
                      [by](const auto& entry) { return entry.second == by; })
      ->first;
}

std::vector<const TopProcess*> members_of(const TopSample& sample, const LineKey& line,
                                          TopGroup by) {
  std::vector<const TopProcess*> members;
  for (const TopProcess& process : sample.processes)
    if (by == TopGroup::process ? process.key == line : group_of(process, by) == line.group)
      members.push_back(&process);
  return members;
}

std::shared_ptr<const TopSample> grouped(std::shared_ptr<const TopSample> sample, TopGroup by) {
  if (by == TopGroup::process) return sample;
  std::map<std::string, Group> groups;
  for (const TopProcess& process : sample->processes) add(groups[group_of(process, by)], process);

  auto sums = std::make_shared<TopSample>();
  sums->seconds = sample->seconds;
  sums->total_seconds = sample->total_seconds;
  sums->latency = sample->latency;
  sums->channels = sample->channels;
  sums->completeness = sample->completeness;
  sums->interval = sample->interval;
  sums->total = sample->total;
  sums->cost = sample->cost;
  sums->duty = sample->duty;
  // The lines point into these, so they must not move any more.
  sums->standing.processes.reserve(groups.size());
  sums->between.processes.reserve(groups.size());
  for (auto& [name, group] : groups) {
    group.total.sum.name = group.interval.sum.name = name;
    group.line.key.group = name;
    group.line.members = group.total.processes;
    group.line.total = &sums->standing.processes.emplace_back(std::move(group.total.sum));
    if (group.interval.processes != 0)
      group.line.interval = &sums->between.processes.emplace_back(std::move(group.interval.sum));
    sums->processes.push_back(std::move(group.line));
  }
  return sums;
}

}  // namespace zctrace
