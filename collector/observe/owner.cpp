// SPDX-License-Identifier: MIT
// Parses cgroup paths.
#include "collector/observe/owner.h"

#include <algorithm>
#include <optional>
#include <set>

#include "collector/os/split.h"

namespace zctrace {
namespace {

constexpr std::size_t kContainerDigits = 64;

bool is_hexadecimal(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// "<id>", "docker-<id>.scope", "cri-containerd-<id>.scope", "libpod-<id>.scope",
// "…pod<uid>.slice:cri-containerd:<id>"; empty for anything else.
std::string_view container_in(std::string_view component) {
  // The monitor beside a container is not in it.
  if (component.find("-conmon-") != std::string_view::npos) return {};
  if (component.ends_with(".scope")) component.remove_suffix(std::string_view(".scope").size());
  if (component.size() < kContainerDigits) return {};
  const std::string_view id = component.substr(component.size() - kContainerDigits);
  const std::string_view before = component.substr(0, component.size() - kContainerDigits);
  if (!is_hexadecimal(id)) return {};
  return before.empty() || before.ends_with('-') || before.ends_with(':') ? id : std::string_view{};
}

// "pod<uid>", "kubepods-burstable-pod<uid with _>.slice"; a static pod's uid has no hyphens.
std::string pod_in(std::string_view component) {
  component = component.substr(0, component.find(".slice"));
  const std::size_t at = component.rfind("pod");
  if (at == std::string_view::npos || (at != 0 && component[at - 1] != '-')) return {};
  std::string uid(component.substr(at + 3));
  std::replace(uid.begin(), uid.end(), '_', '-');
  std::string digits = uid;
  std::erase(digits, '-');
  const bool with_hyphens =
      uid.size() == 36 && uid[8] == '-' && uid[13] == '-' && uid[18] == '-' && uid[23] == '-';
  if (digits.size() != 32 || !is_hexadecimal(digits)) return {};
  return with_hyphens || uid.size() == 32 ? uid : std::string();
}

// A scope whose name has a new number for each start would be a new label each time.
bool is_lasting_scope(std::string_view component) {
  return component.ends_with(".scope") && !component.starts_with("session-") &&
         !component.starts_with("run-") && component != "init.scope";
}

// The innermost service, so that a process of a user's service manager belongs to its own service.
std::string_view unit_in(const std::vector<std::string_view>& components) {
  std::string_view scope;
  for (auto component = components.rbegin(); component != components.rend(); ++component) {
    if (component->ends_with(".service")) return *component;
    if (scope.empty() && is_lasting_scope(*component)) scope = *component;
  }
  return scope;
}

ProcessOwner owner_of_path(std::string_view path) {
  const std::vector<std::string_view> components = split(path, '/');
  ProcessOwner owner;
  for (const std::string_view component : components) {
    if (std::string pod = pod_in(component.substr(0, component.find(':'))); !pod.empty())
      owner.pod_uid = std::move(pod);
    // The innermost wins, because a node may be a container itself.
    if (const std::string_view id = container_in(component); !id.empty()) owner.container_id = id;
  }
  if (owner.container_id.empty() && owner.pod_uid.empty()) owner.unit = unit_in(components);
  return owner;
}

}  // namespace

ProcessOwner owner_of(std::string_view cgroups) {
  ProcessOwner found;
  for (const std::string_view line : split(cgroups, '\n')) {  // "0::/path", "4:cpu,cpuacct:/path"
    const std::size_t controllers = line.find(':');
    if (controllers == std::string_view::npos) continue;
    const std::size_t path = line.find(':', controllers + 1);
    if (path == std::string_view::npos) continue;
    const ProcessOwner owner = owner_of_path(line.substr(path + 1));
    // The hierarchies of v1 may differ. The first that names something wins.
    if (found.container_id.empty()) found.container_id = owner.container_id;
    if (found.pod_uid.empty()) found.pod_uid = owner.pod_uid;
    if (found.unit.empty()) found.unit = owner.unit;
  }
  if (!found.container_id.empty() || !found.pod_uid.empty()) found.unit.clear();
  return found;
}

// The processes to look up: new ones, those with a new name, and parents that are not listed.
std::map<std::int64_t, ProcessOwner> OwnerCache::look_up(const std::vector<Process>& processes) {
  std::set<std::int64_t> pids;
  for (const Process& process : processes) {
    const auto before = entries_.find(PidAndStart(process.pid, process.start_ns));
    if (before != entries_.end() && before->second.name == process.name) continue;
    if (!process.end_ns) pids.insert(process.pid);
    if (before == entries_.end()) pids.insert(process.parent_pid);
  }
  std::vector<ProcRequest> wanted;
  for (const std::int64_t pid : pids)
    wanted.push_back({(root_ / "proc" / std::to_string(pid) / "cgroup").string()});
  const std::vector<std::optional<std::string>> texts = proc_->read(wanted);
  std::map<std::int64_t, ProcessOwner> found;
  auto text = texts.begin();
  for (const std::int64_t pid : pids) {
    if (*text && !(*text)->empty()) found.emplace(pid, owner_of(**text));
    ++text;
  }
  return found;
}

void OwnerCache::update(const std::vector<Process>& processes) {
  const std::map<std::int64_t, ProcessOwner> found = look_up(processes);
  const auto read = [&found](std::int64_t pid, ProcessOwner& owner) {
    const auto one = found.find(pid);
    if (one == found.end()) return false;
    owner = one->second;
    return true;
  };
  std::map<PidAndStart, CacheEntry> entries;
  // Processes are sorted by start time, so a parent comes before its children.
  std::map<std::int64_t, const ProcessOwner*> latest;
  for (const Process& process : processes) {
    const PidAndStart key(process.pid, process.start_ns);
    const auto before = entries_.find(key);
    CacheEntry now{process.name, {}};
    if (before != entries_.end()) now.owner = before->second.owner;
    const bool look = before == entries_.end() || before->second.name != process.name;
    if (look && (process.end_ns || !read(process.pid, now.owner)) && before == entries_.end()) {
      const auto parent = latest.find(process.parent_pid);
      if (parent != latest.end())
        now.owner = *parent->second;
      else
        read(process.parent_pid, now.owner);
    }
    const auto added = entries.insert_or_assign(key, std::move(now)).first;
    latest[process.pid] = &added->second.owner;
  }
  names_.begin_round();
  for (auto& [key, entry] : entries)
    entry.owner.named = names_.of(entry.owner.container_id, entry.owner.pod_uid);
  entries_ = std::move(entries);
}

const ProcessOwner& OwnerCache::of(const Process& process) const {
  static const ProcessOwner none;
  const auto found = entries_.find(PidAndStart(process.pid, process.start_ns));
  return found == entries_.end() ? none : found->second.owner;
}

}  // namespace zctrace
